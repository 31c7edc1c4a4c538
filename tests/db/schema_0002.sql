BEGIN TRANSACTION;
CREATE TABLE run (
	id INTEGER NOT NULL, 
	label TEXT, 
	program BLOB NOT NULL, 
	argv BLOB NOT NULL, 
	cwd BLOB NOT NULL, 
	user TEXT NOT NULL, 
	uid BIGINT NOT NULL, 
	host TEXT NOT NULL, 
	started_ns BIGINT NOT NULL, 
	ended_ns BIGINT, 
	exit_code BIGINT, 
	exit_signal BIGINT, 
	recorder TEXT NOT NULL, 
	recorder_pid BIGINT NOT NULL, 
	recorder_started BIGINT NOT NULL, 
	boot_id TEXT NOT NULL, 
	status SMALLINT NOT NULL, 
	lost BIGINT NOT NULL, 
	unseen BIGINT NOT NULL, 
	service TEXT, 
	warnings TEXT NOT NULL, 
	scope SMALLINT NOT NULL, 
	elsewhere TEXT, 
	CONSTRAINT pk_run PRIMARY KEY (id)
);
INSERT INTO run VALUES(1,NULL,X'64656d6f',X'2f746d702f64656d6f2f64656d6f00',X'2f746d702f64656d6f','root',0,'demo',1795960245620673292,1795960246737895541,3,NULL,'notify',5855,3636569,'d774aecd-83f5-46c1-bf82-73a46d836987',1,0,0,NULL,'[["io_uring-off", "a program asked for io_uring, which is switched off because its operations could not be seen: it did without, or failed; `--io-uring` lets it be, unseen"]]',0,NULL);
CREATE TABLE path (
	id INTEGER NOT NULL, 
	name BLOB NOT NULL, 
	CONSTRAINT pk_path PRIMARY KEY (id), 
	CONSTRAINT uq_path_name UNIQUE (name)
);
INSERT INTO path VALUES(1,X'2f746d702f64656d6f2f64656d6f');
INSERT INTO path VALUES(2,X'2f746d702f64656d6f2f6d697373696e67');
INSERT INTO path VALUES(3,X'2f746d702f64656d6f2f7374617465');
INSERT INTO path VALUES(4,X'2f746d702f64656d6f2f73746174652f64617461');
CREATE TABLE unit_property (
	run_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_unit_property PRIMARY KEY (run_id, name), 
	CONSTRAINT fk_unit_property_run_id_run FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);
CREATE TABLE mount_name (
	run_id INTEGER NOT NULL, 
	position BIGINT NOT NULL, 
	inside BLOB NOT NULL, 
	host BLOB, 
	CONSTRAINT pk_mount_name PRIMARY KEY (run_id, position), 
	CONSTRAINT fk_mount_name_run_id_run FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);
CREATE TABLE gap (
	run_id INTEGER NOT NULL, 
	position BIGINT NOT NULL, 
	count BIGINT NOT NULL, 
	since BIGINT, 
	until BIGINT, 
	process_id BIGINT, 
	cgroup BLOB NOT NULL, 
	CONSTRAINT pk_gap PRIMARY KEY (run_id, position), 
	CONSTRAINT fk_gap_run_id_run FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);
CREATE TABLE process (
	run_id INTEGER NOT NULL, 
	id BIGINT NOT NULL, 
	pid BIGINT NOT NULL, 
	parent BIGINT, 
	previous BIGINT, 
	exe BLOB NOT NULL, 
	argv BLOB NOT NULL, 
	cwd BLOB NOT NULL, 
	uid BIGINT NOT NULL, 
	gid BIGINT NOT NULL, 
	cgroup BLOB NOT NULL, 
	environ BLOB NOT NULL, 
	started BIGINT NOT NULL, 
	ended BIGINT, 
	status BIGINT, 
	unit TEXT, 
	CONSTRAINT pk_process PRIMARY KEY (run_id, id), 
	CONSTRAINT fk_process_run_id_run FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);
INSERT INTO process VALUES(1,1,5864,NULL,NULL,X'2f746d702f64656d6f2f64656d6f',X'2f746d702f64656d6f2f64656d6f00',X'2f746d702f64656d6f',0,0,X'2f',X'484f4d453d2f746d702f64656d6f00',38255476,38575521,768,NULL);
CREATE TABLE file_state (
	run_id INTEGER NOT NULL, 
	path_id BIGINT NOT NULL, 
	moment SMALLINT NOT NULL, 
	type SMALLINT NOT NULL, 
	size BIGINT NOT NULL, 
	mode INTEGER NOT NULL, 
	uid BIGINT NOT NULL, 
	gid BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	ctime_ns BIGINT NOT NULL, 
	inode BIGINT NOT NULL, 
	device BIGINT NOT NULL, 
	hint TEXT, 
	link BLOB, 
	CONSTRAINT pk_file_state PRIMARY KEY (run_id, path_id, moment), 
	CONSTRAINT fk_file_state_run_id_run FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO file_state VALUES(1,3,0,0,0,0,0,0,0,0,0,0,NULL,NULL);
INSERT INTO file_state VALUES(1,3,1,2,4096,493,0,0,1795960245659153462,1795960245659153462,2327688,65024,NULL,NULL);
INSERT INTO file_state VALUES(1,4,0,0,0,0,0,0,0,0,0,0,NULL,NULL);
INSERT INTO file_state VALUES(1,4,1,1,3,384,0,0,1795960245659153462,1795960245659153462,2327723,65024,NULL,NULL);
CREATE TABLE mount (
	run_id INTEGER NOT NULL, 
	position BIGINT NOT NULL, 
	mount_id BIGINT NOT NULL, 
	parent_id BIGINT NOT NULL, 
	device TEXT NOT NULL, 
	root BLOB NOT NULL, 
	mountpoint BLOB NOT NULL, 
	fstype TEXT NOT NULL, 
	source BLOB NOT NULL, 
	options TEXT NOT NULL, 
	CONSTRAINT pk_mount PRIMARY KEY (run_id, position), 
	CONSTRAINT fk_mount_run_id_run FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);
INSERT INTO mount VALUES(1,0,22,27,'0:21',X'2f',X'2f70726f63','proc',X'70726f63','rw,relatime');
INSERT INTO mount VALUES(1,5,27,1,'254:0',X'2f',X'2f','ext4',X'2f6465762f766461','rw,relatime');
CREATE TABLE access (
	run_id BIGINT NOT NULL, 
	process_id BIGINT NOT NULL, 
	path_id INTEGER NOT NULL, 
	op SMALLINT NOT NULL, 
	count BIGINT NOT NULL, 
	first BIGINT NOT NULL, 
	last BIGINT NOT NULL, 
	outcome SMALLINT NOT NULL, 
	errno INTEGER NOT NULL, 
	flags INTEGER NOT NULL, 
	to_id BIGINT, 
	from_id BIGINT, 
	CONSTRAINT pk_access PRIMARY KEY (run_id, process_id, path_id, op), 
	CONSTRAINT fk_access_run_id_process FOREIGN KEY(run_id, process_id) REFERENCES process (run_id, id) ON DELETE CASCADE, 
	CONSTRAINT fk_access_path_id_path FOREIGN KEY(path_id) REFERENCES path (id)
)
 WITHOUT ROWID

;
INSERT INTO access VALUES(1,1,1,14,1,38255847,38255847,0,0,0,NULL,NULL);
INSERT INTO access VALUES(1,1,2,1,1,38460170,38460170,4,0,0,NULL,NULL);
INSERT INTO access VALUES(1,1,3,9,1,38301274,38301274,0,0,0,NULL,NULL);
INSERT INTO access VALUES(1,1,4,2,1,38398689,38398689,0,0,0,NULL,NULL);
INSERT INTO access VALUES(1,1,4,3,1,38397948,38397948,0,0,0,NULL,NULL);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES('0002');
CREATE INDEX ix_run_label ON run (label);
CREATE INDEX ix_run_program ON run (program);
CREATE INDEX ix_run_service ON run (service);
CREATE INDEX ix_access_path_id ON access (path_id);
COMMIT;

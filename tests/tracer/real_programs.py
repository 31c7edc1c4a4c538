"""Real programs that do the same work each time: what the differential test runs.

Each script starts in an empty directory, which is also its home and holds its temporary directory
`tmp`. Where a program makes up names, `random` says which part of a name is different each time.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A script of sh that puts one or a few real programs to work."""

    script: str
    needs: tuple[str, ...]
    """Programs without which the case cannot run."""
    random: bytes = rb"(?!)"
    """A pattern of what is different in a name each time; by default nothing is."""
    hides: bool = False
    """Whether a process makes itself unreadable, so that only root sees what it does."""


GIT = "git -c user.name=a -c user.email=a@b -c init.defaultBranch=main -c gc.auto=0"

CASES = {
    "git": Case(
        f"{GIT} init -q r && cd r && echo 1 >a && mkdir d && echo 2 >d/b && {GIT} add . && "
        f"{GIT} commit -qm one && {GIT} checkout -qb other && {GIT} mv a c && "
        f"{GIT} commit -qam two && {GIT} checkout -q main && {GIT} merge -q other && "
        f"{GIT} branch -d other -q && {GIT} tag v1 && {GIT} stash list && {GIT} gc -q",
        ("git",),
        # Temporary objects, the trial of init whether links work, and the marks of a process.
        rb"tmp_(obj|pack|idx|rev)_\w{6}|(?<=refs_|acks_)\w{6}|(?<=[.-])\d{2,}|(?<=\.git/)t\w{6}$",
    ),
    "git-clone": Case(
        f"{GIT} init -q r && cd r && seq 400 >a && {GIT} add a && {GIT} commit -qm one && cd .. && "
        f"{GIT} clone -q file://$PWD/r s && cd s && rm a && {GIT} reset -q --hard && "
        f"echo >>a && {GIT} stash -q && {GIT} stash pop -q && {GIT} worktree add -q ../w",
        ("git",),
        rb"tmp_(obj|pack|idx|rev)_\w{6}|(?<=refs_|acks_)\w{6}|(?<=[.-])\d{2,}|(?<=\.git/)t\w{6}$",
    ),
    "tar": Case(
        "mkdir t && echo 1 >t/1 && ln -s 1 t/l && ln t/1 t/h && mkfifo t/p && tar czf t.tgz t && "
        "rm -r t && tar xzf t.tgz && tar rf u.tar t/1 && tar --delete -f u.tar t/1 && "
        "tar cf u.tar --remove-files t",
        ("tar", "gzip"),
    ),
    "coreutils": Case(
        "mkdir -p a/b && echo 1 >a/b/c && ln -s b a/l && cp -a a z && mv z/b/c z/b/d && "
        "mv z/b z/e && chmod -R g-w z && ln a/b/c same && ln -sfn a link && ln -sfn z link && "
        "install -D -m 600 same i/j/k && touch -r same t && touch -d @1 t && truncate -s 9 t && "
        "dd if=/dev/zero of=d bs=9 count=1 status=none && split -b 3 d part. && "
        "cp --backup=numbered d t && shred -u d && mkfifo p && mknod s p && rm -r a && rmdir i/x "
        "|| sort -o t same t && tee -a t <same && mv -f same t && unlink p",
        ("cp", "install", "shred", "split"),
        rb"(?<=\bCu)\w{6}$",
    ),
    "rsync": Case(
        "mkdir -p a/b && echo 1 >a/b/c && echo 2 >a/d && touch -d @1 a a/b && rsync -a a/ z && "
        "echo three >a/d && rm a/b/c && touch -d @2 a a/b && "
        "rsync -a --delete --backup --suffix=.old a/ z && "
        "rsync -a --inplace --no-whole-file --checksum a/ y",
        ("rsync",),
        rb"(?<=\.)(c|d)\.\w{6}$",
    ),
    "sed": Case(
        "echo a >f && cp f g && sed -i s/a/b/ f && sed -i.orig s/a/b/ g && "
        "perl -i -pe s/b/c/ f && perl -i.bak -pe s/b/c/ g && perl -e 'rename f, h; unlink g'",
        ("sed", "perl"),
        rb"\b(sed|XX)\w{6}$",
    ),
    "gcc": Case(
        "printf 'int main(void) { return 0; }' >m.c && gcc -O1 -g -c m.c && gcc -o m m.o && "
        "ar rcs m.a m.o && ranlib m.a && strip m && objcopy --strip-debug m.o n.o && "
        "gcc -pipe -save-temps -o n m.c && ./n",
        ("gcc", "ar", "strip", "objcopy"),
        rb"\bcc\w{6}(?=\.)|\bst\w{6}$",
    ),
    "make": Case(
        "printf '.PHONY: all clean\\nall: a.o b.o\\n%%.o:\\n\\t: >sub/$@ && mv sub/$@ $@\\n"
        "clean:\\n\\trm *.o\\n' "
        ">Makefile && mkdir sub && make -rs -j2 && make -rs clean && make -rs a.o",
        ("make",),
        rb"GmT?fifo\d+$",
    ),
    "python": Case(
        "\"$PYTHON\" -S -E - <<'E'\n"
        "import os, shutil, sqlite3, tempfile, zipfile\n"
        "with sqlite3.connect('db') as db:\n"
        "    db.execute('create table t(a)')\n"
        "    db.execute('insert into t values(1)')\n"
        "db.execute('pragma journal_mode=wal'); db.execute('insert into t values(2)')\n"
        "db.commit(); db.close()\n"
        "fd = os.open('.', os.O_TMPFILE | os.O_RDWR, 0o600); os.write(fd, b'x')\n"
        "os.link(f'/proc/self/fd/{fd}', 'named', src_dir_fd=os.open('.', 0))\n"
        "open('n.tmp', 'w').write('y'); os.replace('n.tmp', 'named')\n"
        "with tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').close()\n"
        "with zipfile.ZipFile('z.zip', 'w') as z: z.write('named')\n"
        "zipfile.ZipFile('z.zip').extractall('out'); shutil.copytree('out', 'out2')\n"
        "os.rename('out', 'moved'); shutil.rmtree('out2')\n"
        "os.symlink('named', 's'); open('s', 'a').write('z')\n"
        "os.setxattr('named', 'user.a', b'b'); os.truncate('z.zip', 3)\n"
        "os.mkdir('d'); top = os.open('d', os.O_RDONLY); os.chdir('/')\n"
        "os.close(os.open('f', os.O_CREAT | os.O_WRONLY, dir_fd=top))\n"
        "os.rename('f', 'g', src_dir_fd=top, dst_dir_fd=top)\n"
        "E",
        (),
        rb"(?<=tmp/)\w{8}$|(?<=tmp/tmp)\w{8}",
    ),
    "sqlite3": Case(
        "sqlite3 db 'create table t(a); insert into t values(1); delete from t; vacuum' && "
        "sqlite3 db 'pragma journal_mode=wal; insert into t values(1)' && "
        "sqlite3 db '.backup copy' && sqlite3 copy 'pragma journal_mode=persist; drop table t'",
        ("sqlite3",),
        rb"etilqs_\w+",
    ),
    "vim": Case(
        "printf 'one\\ntwo\\n' >f && vim -Nes -u NONE -c 'set backup' -c %s/one/1/ -c wq f && "
        "vim -Nes -u NONE -i info -c 'set undofile' -c 2d -c wq f && "
        "vim -Nes -u NONE -c 'w g' -c 'r f' -c 'saveas h' -c q! f",
        ("vim",),
        rb"(?<=tmp/)v\w{6}|\b491\d$",
    ),
    "gpg": Case(
        "mkdir -m 700 .gnupg && G='gpg --batch -q --no-autostart' && "
        "gpg --batch -q --passphrase '' --quick-gen-key test ed25519 default never && "
        "echo x >x && gpg --batch -q -s x && $G --verify x.gpg 2>v && $G --export test >k && "
        "gpg --batch -q --yes --delete-secret-and-public-key "
        "$(gpg --list-keys --with-colons | grep -m1 ^fpr | cut -d: -f10) && "
        "$G --import k && gpgconf --kill gpg-agent",
        ("gpg", "gpg-agent"),
        rb"\.#lk0x\w+\.[^/]*\.\d+x?$|\b[0-9A-F]{40}(?=\.)|\b\w+(?=\.(rev|key)$)",
        hides=True,
    ),
    "openssh": Case(
        "ssh-keygen -q -t ed25519 -N '' -f key && ssh-keygen -q -p -N new -P '' -f key && "
        "echo h $(cat key.pub) >known && ssh-keygen -q -H -f known && "
        "ssh-keygen -q -R h -f known 2>/dev/null && echo x >x && "
        "ssh-keygen -q -P new -p -N '' -f key && ssh-keygen -q -Y sign -f key -n n x",
        ("ssh-keygen",),
        rb"(?<=known\.)\w{10}$|(?<=/ssh-)\w{12}",
    ),
    "openssl": Case(
        "openssl req -x509 -newkey ed25519 -nodes -keyout k -out c -subj /CN=a 2>/dev/null && "
        "openssl enc -aes-128-ctr -pass pass:a -pbkdf2 -in c -out e && "
        "openssl rand -writerand rnd -out r 8",
        ("openssl",),
    ),
    "patch": Case(
        "seq 9 >a && sed s/5/five/ a >b && diff -u a b >p; patch -s a p && patch -sb -R a p && "
        "printf -- '--- /dev/null\\n+++ n\\n@@ -0,0 +1 @@\\n+new\\n' | patch -s && "
        "printf -- '--- n\\n+++ /dev/null\\n@@ -1 +0,0 @@\\n-new\\n' | patch -s && "
        "patch -sf --no-backup-if-mismatch b p; test -e b.rej",
        ("patch", "diff"),
        rb"\b(p[oripd]|\w+\.[or])\w{6}$",
    ),
    "compress": Case(
        "seq 999 >a && cp a b && cp a c && gzip a && bzip2 b && xz -0 c && gunzip a.gz && "
        "bunzip2 b.bz2 && xz -dk c.xz && gzip -9 <a >a.gz && gzip -f a",
        ("gzip", "bzip2", "xz"),
    ),
    "zip": Case(
        "mkdir d && echo 1 >d/1 && echo 2 >d/2 && zip -qr z d && zip -qd z d/2 && rm -r d && "
        "unzip -q z && zip -qm z d/1 && unzip -qo z",
        ("zip", "unzip"),
        rb"(?<=\bzi)\w{6}$",
    ),
    "bash": Case(
        "bash -c 'set -e; cat >f <<E\nhere\nE\n"
        'x=$(mktemp); echo 1 >"$x"; cat >"$x" <<<string; mv "$x" kept; d=$(mktemp -d); '
        '(cd "$d"; : >in; set -C; ! : >in); rm -r "$d"; exec 3<>f; echo 2 >&3; '
        "echo 3 &>>g; cat <(echo 4) > >(cat >h); wait; coproc cat; echo >|g'",
        ("bash", "mktemp"),
        rb"\btmp\.\w{10}|sh-thd\.\w+",
    ),
    "dpkg-deb": Case(
        "mkdir -p p/DEBIAN p/usr && printf 'Package: a\\nVersion: 1\\nArchitecture: all\\n"
        "Maintainer: a <a@b>\\nDescription: a\\n' >p/DEBIAN/control && echo 1 >p/usr/f && "
        "dpkg-deb -Znone --root-owner-group -b p a.deb >/dev/null && dpkg-deb -R a.deb out && "
        "dpkg-deb -x a.deb x",
        ("dpkg-deb",),
        rb"\bdpkg-deb\.\w{6}",
    ),
    "text-tools": Case(
        "printf 'b\\na\\n' >f && sort -o f f && printf 'r f\\n1d\\nw g\\nq\\n' | ed -s f && "
        "awk '{print > \"w\" NR}' f && xxd f h && xxd -r h k && uniq f u && "
        "msgfmt -o m.mo /dev/null; csplit -s f 1 && find . -name 'xx*' -delete",
        ("ed", "awk", "xxd", "msgfmt"),
        rb"(?<=tmp/)(sort\w{6}|ed\w+\.\w{6}|tmp\w+)$",
    ),
    "logrotate": Case(
        "echo l >log && printf '%s/log {\\n su %s\\n size 1\\n rotate 2\\n compress\\n "
        'create 600\\n}\\n\' $PWD "$(id -un) $(id -gn)" >conf && '
        "logrotate -s state conf && echo m >log && logrotate -s state conf",
        ("logrotate", "gzip"),
    ),
    "cmake": Case(
        "printf 'cmake_minimum_required(VERSION 3.5)\\nproject(a NONE)\\n"
        "configure_file(in out)\\nfile(WRITE b c)\\nfile(RENAME b d)' >CMakeLists.txt && "
        "echo 1 >in && cmake -S . -B build >/dev/null && cmake --build build >/dev/null",
        ("cmake", "make"),
        rb"\.tmp\w{5}$|CMakeTmp/[^/]+|(?<=-)\w{6}$",
    ),
}

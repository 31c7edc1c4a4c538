"""The programs that are tortured: shell scripts that print the same at each start."""

import shutil

WRITING = {
    "shell": "for i in 1 2 3 4 5 6; do (sleep .0$i; mkdir -p d/$i; cd d/$i && echo $i > a && mv a"
    " b) & done; wait; find d -type f | sort | xargs cat | cksum",
    "make": "printf 'all: a b c d\\n%%: ; @sleep .05; echo $@ > $@\\n' > Makefile; make -sj4;"
    " cat a b c d | cksum",
    "git": "git init -q r; cd r; for i in 1 2 3; do echo $i > f; git add f; git -c user.name=x -c"
    " user.email=x@example.org commit -qm $i; done; cd ..; git clone -q r c; cat c/f",
    "sqlite": "for i in 1 2 3 4 5; do python3 -c \"import sqlite3; c = sqlite3.connect('db');"
    " c.execute('create table if not exists t(x)'); c.execute('insert into t values ($i)');"
    ' c.commit()"; done; python3 -c "import sqlite3;'
    " print(sqlite3.connect('db').execute('select sum(x) from t').fetchone())\"",
    "daemon": "(setsid sh -c 'sleep .3; echo late > l; mv l late' &) ; echo started > started;"
    " i=0; until [ -e late ] || [ $((i+=1)) = 600 ]; do sleep .1; done; cat started late",
}
BROWSERS = {
    "firefox-esr": "HOME=$PWD; export HOME; firefox-esr --headless --screenshot $PWD/shot.png"
    " file:///etc/hostname; echo $?; test -s shot.png && echo shot",
    "chromium": "HOME=$PWD; export HOME; chromium --headless --no-sandbox --disable-gpu"
    " --user-data-dir=$PWD/profile --dump-dom file:///etc/hostname | cksum",
}

# SIGCHLD all the time, and calls that never fail with EINTR. Prints how many of them did, and how
# many were made.
_SHELL = """
n=0; bad=0; all=0
while [ $n -lt COUNT ]; do
    n=$((n+1)); true &
    for i in 1 2 3 4 5; do
        echo x > f$i || bad=$((bad+1)); cd . || bad=$((bad+1)); all=$((all+2))
    done
done
wait; echo $bad $all
"""
STORMS = {
    "dash": ("dash", "-c", _SHELL),
    "bash": ("bash", "-c", _SHELL),
    "bash with a trap": ("bash", "-c", f"trap : CHLD; {_SHELL}"),
    "perl": ("perl", "-e", """
$SIG{CHLD} = sub { 1 while waitpid(-1, 1) > 0 }; my ($bad, $all) = (0, 0);
sub t { $all++; $bad++ if !$_[0] && $!{EINTR} }
for (1..COUNT) {
    exec "true" if !fork;
    for (1..5) {
        t(mkdir "p"); t(open(my $f, ">", "q")); t(chdir "."); t(rename "q", "r");
        t(chmod 0600, "r"); t(symlink "r", "s"); t(unlink "r", "s"); t(rmdir "p")
    }
}
print "$bad $all\\n";
"""),
    "python": ("python3", "-c", """
import os, signal, subprocess
signal.signal(signal.SIGCHLD, lambda *_: None)
calls = [0, 0]
def t(call, *words):
    calls[1] += 1
    try: return call(*words)
    except InterruptedError: calls[0] += 1
    except OSError: pass
kids = []
for _ in range(COUNT):
    kids = [kid for kid in kids if kid.poll() is None] + [subprocess.Popen(["true"])]
    for _ in range(5):
        t(os.mkdir, "p"); t(os.chdir, "."); open("q", "w").close(); t(os.rename, "q", "r")
        t(os.chmod, "r", 0o600); t(os.symlink, "r", "s"); t(os.unlink, "r"); t(os.unlink, "s")
        t(os.rmdir, "p")
print(*calls)
"""),
    "ruby": ("ruby", "-e", """
bad = all = 0
trap("CHLD") { begin; nil while Process.waitpid(-1, Process::WNOHANG); rescue Errno::ECHILD; end }
t = lambda { |&call|
  all += 1
  begin; call.call; rescue Errno::EINTR; bad += 1; rescue SystemCallError; end
}
COUNT.times {
  spawn("true")
  5.times {
    t.() { Dir.mkdir("p") }; t.() { File.open("q", "w").close }; t.() { Dir.chdir(".") }
    t.() { File.rename("q", "r") }; t.() { File.chmod(0600, "r") }; t.() { File.symlink("r", "s") }
    t.() { File.unlink("r") }; t.() { File.unlink("s") }; t.() { Dir.rmdir("p") }
  }
}
puts "#{bad} #{all}"
"""),
}  # fmt: skip

RANDOM = """
import os, random, sys
chance = random.Random(int(sys.argv[1])); names = [f"{a}{b}" for a in "xyz" for b in range(3)]
def path(): return "/".join(chance.sample(names, chance.randint(1, 2)))
for _ in range(300):
    a, b = path(), path()
    act = chance.choice([
        lambda: os.mkdir(a), lambda: open(a, "w").write("x"), lambda: os.rename(a, b),
        lambda: os.unlink(a), lambda: LINK(b, a), lambda: os.link(a, b),
        lambda: os.rmdir(a), lambda: os.chmod(a, 0o700), lambda: open(a).read(),
    ])
    try: act()
    except OSError: pass
"""


def available(programs: dict[str, str]) -> dict[str, str]:
    """Leave out what is not installed."""
    return {name: script for name, script in programs.items() if is_there(name)}


def is_there(name: str) -> bool:
    """Whether the program of this name can be run; what is no name of a program always can."""
    return name not in BROWSERS or shutil.which(name) is not None

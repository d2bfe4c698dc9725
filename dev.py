"""Set Attune up, run it, check it. Needs Python 3.11 or newer with pip, and nothing else.

python3 dev.py run [arguments]    set up what is missing, then start Attune with the arguments
python3 dev.py test [arguments]   set up what is missing, then run all checks and all tests
python3 dev.py check              the checks alone: format, lint, types, import contracts
python3 dev.py setup              set up everything for development, and stop there
python3 dev.py translate          gather the texts of the window, compile their translations
python3 dev.py package            freeze Attune and make the installers of this system, in dist/
python3 dev.py lock               write the requirement files anew from pyproject.toml
python3 dev.py flags              print the CMake flags of llama.cpp, for an installation by hand

ATTUNE_BUILD holds extra CMake flags for llama.cpp, such as -DGGML_VULKAN=ON. They are remembered
until the variable is given again; an empty value returns to the plain build.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python must get a sentence, no traceback
    sys.exit("Attune needs Python 3.11 or newer; this is Python " + sys.version.split()[0])

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NoReturn

Kind = Literal["runtime", "dev", "package"]

ROOT = Path(__file__).resolve().parent
# What is frozen comes from an environment of its own, where no tool for development can slip in.
VENV = ROOT / ("build/venv" if sys.argv[1:2] == ["package"] else ".venv")
TOOLS = ROOT / ".tools"
REQUIREMENTS: Mapping[Kind, Path] = {
    "runtime": ROOT / "requirements.txt",
    "dev": ROOT / "requirements-dev.txt",
    "package": ROOT / "requirements.txt",
}
BUILD_REQUIREMENTS = ROOT / "requirements-build.txt"
STAMP = VENV / "attune-setup"
BUILD_RECORD = VENV / "attune-build"
TRANSLATIONS = ROOT / "assets" / "translations"

ALONE = ("tests/contract", "tests/integration")
SHARED = tuple(f"--ignore={folder}" for folder in ALONE)

CHECKS: Mapping[str, Sequence[str]] = {
    "format": ("ruff", "format", "--check"),
    "lint": ("ruff", "check"),
    "types": ("mypy",),
    "imports": ("lint-imports",),
}

# macOS gets one library for its few processors, with Metal inside; flags about a choice of
# libraries at run time, and the Linux way to write "next to me", are not for it. (Windows has no
# such paths in its libraries and CMake passes over the flags there.)
NOT_ON_MACOS = (
    "-DGGML_BACKEND_DL=",
    "-DGGML_CPU_ALL_VARIANTS=",
    "-DCMAKE_INSTALL_RPATH=",
    "-DCMAKE_INSTALL_RPATH_USE_LINK_PATH=",
)

COMPILER_HINT: Mapping[str, str] = {
    "linux": "sudo apt-get install g++    (Fedora: sudo dnf install gcc-c++)",
    "darwin": "xcode-select --install",
    "win32": "winget install Microsoft.VisualStudio.2022.BuildTools --override "
    '"--passive --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"',
}

# What llama.cpp and Qt link to and PySide6 does not bring, and one font: without it, no text.
SYSTEM_PACKAGES = (
    "fontconfig-config fonts-dejavu-core libdbus-1-3 libdrm2 libegl1 libexpat1 libfontconfig1 "
    "libfreetype6 libgl1 libglib2.0-0 libgomp1 libwayland-client0 libwayland-cursor0 "
    "libwayland-egl1 libx11-6 libx11-xcb1 libxcb-cursor0 libxcb-icccm4 libxcb-image0 "
    "libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-render0 libxcb-shape0 libxcb-shm0 "
    "libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xkb1 libxcb1 libxkbcommon-x11-0 "
    "libxkbcommon0 zlib1g"
)


BUILD_PROJECT = """\
[project]
name = "attune-build"
version = "0"

[tool.uv.extra-build-variables]
llama-cpp-python = {{ CMAKE_ARGS = {arguments} }}
"""

# Where missing libraries of the system show.
LOADED = (
    "PySide6/Qt/lib/libQt6Widgets.so.6",
    "PySide6/Qt/plugins/platforms/libqoffscreen.so",
    "PySide6/Qt/plugins/platforms/libqwayland*.so",
    "PySide6/Qt/plugins/platforms/libqxcb.so",
    "llama_cpp/lib/lib*.so",
)


# Commands ------------------------------------------------------------------------------------


def run(arguments: Sequence[str]) -> NoReturn:
    """Start Attune, with development tools left alone where they are installed."""
    ensure("dev" if program("pytest").exists() else "runtime")
    become([str(program("attune")), *arguments])


def test(arguments: Sequence[str]) -> NoReturn:
    """Run every check, then every test (or those that the pytest arguments choose)."""
    ensure("dev")
    require_system_libraries()
    broken = failed_checks()
    say("tests")
    windowless = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    # Models take all cores for themselves; what has none shares them.
    parts = [arguments] if arguments else [("-n", "auto", *SHARED), ALONE]
    codes = [
        subprocess.call([program("pytest"), *part], cwd=ROOT, env=windowless) for part in parts
    ]
    if broken:
        fail("Not clean: " + ", ".join(broken) + ".")
    sys.exit(max(codes))


def check(arguments: Sequence[str]) -> NoReturn:
    """Run the checks alone."""
    expect_none(arguments)
    ensure("dev")
    broken = failed_checks()
    sys.exit("Not clean: " + ", ".join(broken) + "." if broken else 0)


def setup(arguments: Sequence[str]) -> NoReturn:
    """Set up for development."""
    expect_none(arguments)
    ensure("dev")
    sys.exit(0)


def translate(arguments: Sequence[str]) -> NoReturn:
    """Bring the files of those who translate up to date, and compile what is in them."""
    expect_none(arguments)
    ensure("dev")
    for file in sorted(TRANSLATIONS.glob("*.ts")):
        gather_texts(file)
    compile_translations()
    sys.exit(0)


def package(arguments: Sequence[str]) -> NoReturn:
    """Make what installs Attune on systems like this one; `installer/build.py` says how."""
    ensure("package")
    become([str(program("python")), "-m", "installer.build", *arguments])


def lock(arguments: Sequence[str]) -> NoReturn:
    """Resolve what pyproject.toml asks for and write it down with hashes, but without hosts."""
    expect_none(arguments)
    uv = find_uv()
    groups = {
        REQUIREMENTS["runtime"]: ("--no-dev",),
        REQUIREMENTS["dev"]: ("--group", "dev"),
        BUILD_REQUIREMENTS: ("--only-group", "build"),
    }
    call([uv, "lock", "--quiet", "--no-cache"])  # what was built before stays findable
    for path, choice in groups.items():
        export = ("export", "--frozen", "--no-emit-project", "--no-header", "--no-annotate")
        call([uv, *export, "--quiet", *choice, "--output-file", str(path)])
        if "://" in path.read_text(encoding="utf-8"):
            fail(f"{path.name} names a host; look at the configuration of uv.")
    (ROOT / "uv.lock").unlink()  # it names the hosts that the packages came from
    sys.exit(0)


def flags(arguments: Sequence[str]) -> NoReturn:
    """Print what CMAKE_ARGS has to be when llama.cpp is built without this script."""
    expect_none(arguments)
    print(" ".join(build_flags()))
    sys.exit(0)


COMMANDS: Mapping[str, Callable[[Sequence[str]], NoReturn]] = {
    "run": run,
    "test": test,
    "check": check,
    "setup": setup,
    "package": package,
    "translate": translate,
    "lock": lock,
    "flags": flags,
}


def main(arguments: Sequence[str]) -> NoReturn:
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        print(__doc__.strip())
        sys.exit(0 if arguments[:1] in (["-h"], ["--help"]) else 2)
    command(arguments[1:])


# Setting up ----------------------------------------------------------------------------------


def ensure(kind: Kind) -> None:
    """Set up unless nothing has changed since the last time, which is told in milliseconds."""
    mark = fingerprint(kind)
    if read(STAMP) != mark or not program("attune").exists():
        STAMP.unlink(missing_ok=True)  # what is left half done is taken up again
        set_up(kind)
        STAMP.write_text(mark, encoding="utf-8")
    compile_translations()


def fingerprint(kind: Kind) -> str:
    digest = hashlib.sha256(f"{kind}\n{extra_flags()}\n".encode())
    for path in (REQUIREMENTS[kind], BUILD_REQUIREMENTS, ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def set_up(kind: Kind) -> None:
    started = time.monotonic()
    say(f"Setting up Attune in {VENV.relative_to(ROOT)}")
    uv = find_uv()
    create_environment(uv)
    install_engine(uv, REQUIREMENTS[kind])
    install_requirements(uv, REQUIREMENTS[kind], *([BUILD_REQUIREMENTS] * (kind == "package")))
    install_attune(uv)
    report_system_libraries()
    say(f"Set up in {time.monotonic() - started:.0f} seconds")


def create_environment(uv: str) -> None:
    if not program("python").exists():
        call([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)])


def install_engine(uv: str, requirements: Path) -> None:
    """Install llama.cpp, built with our flags: from an earlier build if there is one.

    uv takes the flags from the project around it, so it is run in a small one that has those of
    this system, and keeps one build per set of flags. It looks for one only when it is told to
    do without the network: some registries send a source package that looks new every time.
    """
    wanted = locked("llama-cpp-python", requirements)
    version = wanted.removeprefix("llama-cpp-python==").split()[0]
    if is_installed("llama_cpp_python", version):
        if read(BUILD_RECORD) == extra_flags():
            return
        call([uv, "pip", "uninstall", "--quiet", *into_venv(), "llama-cpp-python"])
    folder = TOOLS / "build"
    install = engine_command(uv, wanted, folder)
    say("Building llama.cpp, unless it was built before: 5 to 15 minutes, once")
    complaint = complaint_of([*install, "--offline"], folder=folder)
    if complaint and not has_compiler():
        require_compiler()
        complaint = complaint_of([*install, "--offline"], folder=folder)
    if "build backend returned an error" in complaint:
        fail(f"{complaint}\nllama.cpp could not be built; the reason is above.")
    if complaint:
        call(install, folder=folder)
    BUILD_RECORD.write_text(extra_flags(), encoding="utf-8")


def engine_command(uv: str, wanted: str, folder: Path) -> list[str]:
    """How to install one locked package in a folder that holds the flags of its build."""
    folder.mkdir(parents=True, exist_ok=True)
    project = BUILD_PROJECT.format(arguments=json.dumps(" ".join(build_flags())))
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    listing = folder / "llama.txt"
    listing.write_text(wanted, encoding="utf-8")
    install = ("pip", "install", "--no-deps", "--require-hashes", *into_venv())
    return [uv, *install, *pinned_build(), "--requirements", str(listing)]


def install_requirements(uv: str, *requirements: Path) -> None:
    """Make the environment hold exactly these packages, each with the hash it was locked with."""
    sync = ("pip", "sync", "--require-hashes", *into_venv(), *pinned_build())
    call([uv, *sync, *map(str, requirements)])


def install_attune(uv: str) -> None:
    """Link this folder into the environment; the requirements were installed before."""
    install = ("pip", "install", "--quiet", "--no-deps", *into_venv(), *pinned_build())
    call([uv, *install, "--editable", str(ROOT)])


def build_flags() -> list[str]:
    """The CMake flags of pyproject.toml as this system needs them, then the owner's own."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    variables = project["tool"]["uv"]["extra-build-variables"]["llama-cpp-python"]
    ours = str(variables["CMAKE_ARGS"]).split()
    if sys.platform == "darwin":
        ours = [flag for flag in ours if not flag.startswith(NOT_ON_MACOS)]
    return ours + extra_flags().split()


def extra_flags() -> str:
    """What ATTUNE_BUILD says now, or said when llama.cpp was built."""
    return os.environ.get("ATTUNE_BUILD", read(BUILD_RECORD)).strip()


def into_venv() -> tuple[str, ...]:
    return ("--python", str(program("python")))


def pinned_build() -> tuple[str, ...]:
    """Build tools are held to versions and hashes too."""
    hashes = ("--require-build-hashes", "--preview-features", "build-dependency-hashes")
    return (*hashes, "--build-constraints", str(BUILD_REQUIREMENTS))


# Translations --------------------------------------------------------------------------------


def gather_texts(file: Path) -> None:
    """Bring a .ts file up to the texts of the window. Of English, which is in the code, it holds
    the plurals alone."""
    plurals = ["-pluralonly"] if file.stem.endswith("_en") else []
    # Without places: each would be another one after every change of the code.
    form = ["-silent", "-locations", "none", "-no-obsolete", "-source-language", "en"]
    call([str(program("pyside6-lupdate")), *form, *plurals, "-extensions", "py",
          str(ROOT / "desktop"), "-ts", str(file)])  # fmt: skip


def compile_translations() -> None:
    """Compile the translations that were changed since."""
    for file in sorted(TRANSLATIONS.glob("*.ts")):
        compiled = file.with_suffix(".qm")
        if not compiled.exists() or compiled.stat().st_mtime_ns < file.stat().st_mtime_ns:
            compile_translation(file, into=compiled)


def compile_translation(file: Path, *, into: Path) -> None:
    call([str(program("pyside6-lrelease")), "-silent", str(file), "-qm", str(into)])


# uv ------------------------------------------------------------------------------------------


def find_uv() -> str:
    """The uv of this computer if it is new enough, else our own, installed into .tools."""
    own = TOOLS / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    wanted = version_numbers(locked("uv", BUILD_REQUIREMENTS))
    for candidate in (shutil.which("uv"), str(own)):
        if candidate and uv_version(candidate) >= wanted:
            return candidate
    install_uv()
    if not own.exists():
        fail("uv was installed into .tools but is not there; install uv yourself and try again.")
    return str(own)


def install_uv() -> None:
    require_pip()
    TOOLS.mkdir(exist_ok=True)
    listing = TOOLS / "uv.txt"
    listing.write_text(locked("uv", BUILD_REQUIREMENTS), encoding="utf-8")
    say("Installing uv into .tools")
    # Not into an environment of its own: a bare Debian has pip, but not the venv module.
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    choice = ("--no-deps", "--require-hashes", "--requirement", str(listing))
    call([*pip, *choice, "--upgrade", "--target", str(TOOLS)])


def require_pip() -> None:
    if not complaint_of([sys.executable, "-m", "pip", "--version"], folder=ROOT):
        return
    if not apt_install("pip", ["python3-pip"]):
        fail(
            "This Python has no pip. Install it (Debian: sudo apt-get install python3-pip), or uv."
        )


def locked(package: str, requirements: Path) -> str:
    """The lines about one package in a locked list: its version and its hashes."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{package}=="))
    end = next(i for i, line in enumerate(lines) if i >= start and not line.endswith("\\"))
    return "\n".join(lines[start : end + 1]) + "\n"


def uv_version(uv: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return version_numbers(answer.stdout)


def version_numbers(text: str) -> tuple[int, ...]:
    """The first thing in a text that reads like 1.2.3, or ()."""
    import re

    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(number) for number in found[0].split(".")) if found else ()


# What the system has to bring ----------------------------------------------------------------


def require_compiler() -> None:
    if apt_install("a C++ compiler", ["g++"]):
        return
    hint = COMPILER_HINT.get(sys.platform, COMPILER_HINT["linux"])
    fail(f"llama.cpp is built on this computer, which needs a C++ compiler. Install one:\n{hint}")


def has_compiler() -> bool:
    if sys.platform == "win32":
        programs = os.environ.get("PROGRAMFILES(X86)", r"C:\Program Files (x86)")
        installer = Path(programs, "Microsoft Visual Studio", "Installer", "vswhere.exe")
        return bool(shutil.which("cl")) or installer.exists()
    if sys.platform == "darwin":  # /usr/bin/c++ is there even when the tools behind it are not
        return subprocess.call(["xcode-select", "-p"], stdout=subprocess.DEVNULL) == 0
    return any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++")))


def report_system_libraries() -> None:
    """Install or name what is missing; the terminal works without the libraries of the window."""
    if complaint := system_complaint():
        say(complaint)


def require_system_libraries() -> None:
    if complaint := system_complaint():
        fail(complaint)


def system_complaint() -> str:
    """What to do before a window can open, or "" when nothing is left to be done."""
    missing = missing_libraries()
    if missing and apt_install("the libraries of the window", SYSTEM_PACKAGES.split()):
        missing = missing_libraries()
    if not missing:
        return ""
    return (
        f"The window or the model may not start, because this is missing: {', '.join(missing)}.\n"
        "On Debian and Ubuntu:\n"
        f"sudo apt-get install --no-install-recommends {SYSTEM_PACKAGES}\n"
        "Elsewhere install the packages that hold these files."
    )


def missing_libraries() -> list[str]:
    """What the libraries that Attune loads link to and this system does not have."""
    if not sys.platform.startswith("linux"):
        return []
    missing = {
        name for library in LOADED for path in installed(library) for name in unresolved(path)
    }
    return sorted(missing) + ([] if has_fonts() else ["fonts"])


def installed(pattern: str) -> list[Path]:
    return list(site_packages().glob(pattern))


def unresolved(library: Path) -> list[str]:
    listing = subprocess.run(["ldd", str(library)], capture_output=True, text=True, check=False)
    return [line.split()[0] for line in listing.stdout.splitlines() if "not found" in line]


def has_fonts() -> bool:
    if shutil.which("fc-list"):
        return bool(subprocess.run(["fc-list"], capture_output=True, check=False).stdout)
    return any(Path("/usr/share/fonts").rglob("*.[to]t[fc]"))


def apt_install(what: str, packages: Sequence[str]) -> bool:
    """Install Debian packages if we may, that is, as root on such a system."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"Installing {what} with apt-get")
    call(["apt-get", "update", "-qq"], quiet=True)
    call(["apt-get", "install", "-qq", "--no-install-recommends", *packages], quiet=True)
    return True


# Checks --------------------------------------------------------------------------------------


def failed_checks() -> list[str]:
    """Run all checks, also after one has failed, and name those that did."""
    return [name for name, command in CHECKS.items() if not passes(name, command)]


def passes(name: str, command: Sequence[str]) -> bool:
    started = time.monotonic()
    say(name)
    code = subprocess.call([program(command[0]), *command[1:]], cwd=ROOT)
    say(f"{name}: {time.monotonic() - started:.1f} s")
    return code == 0


# Small parts ---------------------------------------------------------------------------------


def program(name: str) -> Path:
    """A program of the environment, whether it is there or not."""
    return VENV / "Scripts" / f"{name}.exe" if os.name == "nt" else VENV / "bin" / name


def site_packages() -> Path:
    if os.name == "nt":
        return VENV / "Lib" / "site-packages"
    return next(VENV.glob("lib/python*/site-packages"), VENV / "lib")


def is_installed(distribution: str, version: str) -> bool:
    return (site_packages() / f"{distribution}-{version}.dist-info").exists()


def read(path: Path) -> str:
    """The text of a small file, "" if there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def call(command: Sequence[str], *, folder: Path = ROOT, quiet: bool = False) -> None:
    """Run a step of the set-up; stop everything when it fails."""
    output = subprocess.DEVNULL if quiet else sys.stderr
    code = subprocess.call(command, cwd=folder, env=environment(), stdout=output)
    if code != 0:
        fail(f"This step failed with code {code}; its own words are above:\n{' '.join(command)}")


def complaint_of(command: Sequence[str], *, folder: Path) -> str:
    """Run a step that may well fail: what it has to say then, or "" if all went well."""
    step = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    return step.stderr if step.returncode else ""


def environment() -> dict[str, str]:
    """What this process was given, less another Python for uv, and less questions and advice."""
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return kept | {
        "DEBIAN_FRONTEND": "noninteractive",
        "PIP_ROOT_USER_ACTION": "ignore",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def become(command: list[str]) -> NoReturn:
    """Hand this process, its terminal and its signals to another program."""
    if os.name != "nt":
        os.execv(command[0], command)
    process = subprocess.Popen(command)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:  # the other program got it too and decides what it means
            continue


def expect_none(arguments: Sequence[str]) -> None:
    if arguments:
        fail(f"Unexpected: {' '.join(arguments)}")


def say(line: str) -> None:
    """Tell how it goes, on stderr: what Attune prints to stdout may be read by a program."""
    print(line, file=sys.stderr, flush=True)


def fail(message: str) -> NoReturn:
    sys.exit(message)


if __name__ == "__main__":
    main(sys.argv[1:])

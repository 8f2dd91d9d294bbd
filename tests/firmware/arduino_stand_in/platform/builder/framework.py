"""The Arduino core: headers for everybody, sources as a library."""

from pathlib import Path

from SCons.Script import DefaultEnvironment

env = DefaultEnvironment()
core = Path(env.PioPlatform().get_dir()).parent.parent / "core"
env.Append(CPPPATH=[str(core)], CPPDEFINES=[("ARDUINO", 10813)])
env.Prepend(LIBS=[env.BuildLibrary("$BUILD_DIR/core", str(core))])

"""Builds with the host's compiler, in the steps that vendors' platforms take."""

from SCons.Script import Default, DefaultEnvironment

env = DefaultEnvironment()
env.Replace(
    AR="gcc-ar",
    AS="gcc",
    CC="gcc",
    CXX="g++",
    LINK="g++",
    RANLIB="gcc-ranlib",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)
env.Append(CCFLAGS=["-Os", "-ffast-math"], CXXFLAGS=["-std=gnu++17"], LINKFLAGS=["-no-pie"])
Default(env.BuildProgram())

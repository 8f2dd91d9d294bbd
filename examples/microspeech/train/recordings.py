"""Makes recordings of spoken words: one second of sound, 16,000 samples of 16 bits.

The words are spoken by eSpeak NG, a formant synthesiser, in the accents and voices below, at many
rates and pitches. Each recording then goes through what stands between a mouth and a converter: a
longer or shorter throat (the sound played slower or faster), a room's echoes, a microphone's
response, noise, and a gain. Where in the second the word begins is drawn at random.

Voices are divided: those of `HELD_OUT_VOICES` speak in no training recording, nor does anybody in
`HELD_OUT_ACCENT`, nor are `HELD_OUT_WORDS` among the unknown words that training hears.
"""

import io
import subprocess
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LABELS = ("silence", "unknown", "up", "down", "left", "right")  # in the order of the outputs
KEYWORDS = LABELS[2:]
RATE_HZ = 16000
SAMPLES = 16000

Array = NDArray[np.float64]
Generator = np.random.Generator

OTHER_WORDS = [
    "yes",
    "no",
    "on",
    "off",
    "stop",
    "go",
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "bed",
    "bird",
    "cat",
    "dog",
    "happy",
    "house",
    "marvin",
    "sheila",
    "tree",
    "wow",
    "back",
    "forward",
    "follow",
    "learn",
    "visual",
    "open",
    "close",
    "start",
    "play",
    "pause",
    "water",
    "window",
    "music",
    "kitchen",
    "door",
    "lamp",
    "morning",
    "tomorrow",
    "please",
    "thanks",
    "hello",
    "good",
    "little",
    "people",
    "about",
    "never",
    "because",
    "under",
    "over",
    "better",
    "cup",
    "pup",
    "app",
    "town",
    "gown",
    "brown",
    "lift",
    "loft",
    "laugh",
    "let",
    "light",
    "ride",
    "rate",
    "wrap",
    "nut",
    "dawn",
    "lead",
]
HELD_OUT_WORDS = ("table garden coffee ten fight cut drown raft louder purple number again").split()  # noqa: SIM905

HELD_OUT_ACCENT = "en-us-nyc"
ACCENTS = ("en-gb en-us en-gb-scotland en-gb-x-gbclan en-gb-x-rp en-gb-x-gbcwmd en-029").split()  # noqa: SIM905
HELD_OUT_VOICES = ("m3 m8 f2 f5 belinda david edward2 Mario linda pablo klatt4 Hugo").split()  # noqa: SIM905
VOICES = [
    "m1",
    "m2",
    "m4",
    "m5",
    "m6",
    "m7",
    "f1",
    "f3",
    "f4",
    "adam",
    "Alex",
    "Alicia",
    "Andrea",
    "Andy",
    "Annie",
    "antonio",
    "aunty",
    "benjamin",
    "boris",
    "caleb",
    "Denis",
    "Diogo",
    "ed",
    "Gene",
    "Gene2",
    "Henrique",
    "iven",
    "iven2",
    "iven3",
    "Jacky",
    "john",
    "kaukovalta",
    "Lee",
    "marcelo",
    "Marco",
    "max",
    "Michael",
    "michel",
    "miguel",
    "Mike",
    "Nguyen",
    "norbert",
    "paul",
    "pedro",
    "quincy",
    "rob",
    "robert",
    "sandro",
    "shelby",
    "steph",
    "steph2",
    "steph3",
    "travis",
    "victor",
    "zac",
    "anika",
    "grandma",
    "grandpa",
    "klatt2",
    "klatt3",
    "croak",
]


@dataclass(frozen=True)
class Spoken:
    """A word as it was spoken: sound between -1 and 1, without silence around it."""

    word: str
    sound: Array


def resample(sound: Array, count: int) -> Array:
    """The same sound in `count` samples: its spectrum cut off, or continued with zeros."""
    spectrum = np.fft.rfft(sound)
    wanted = np.zeros(count // 2 + 1, complex)
    kept = min(len(spectrum), len(wanted))
    wanted[:kept] = spectrum[:kept]
    return np.fft.irfft(wanted, count) * (count / len(sound))


def speak(word: str, accent: str, voice: str, words_per_minute: int, pitch: int) -> Spoken:
    """Let eSpeak NG say a word."""
    voice = f"{accent}+{voice}"
    manner = ("-v", voice, "-s", str(words_per_minute), "-p", str(pitch))
    done = subprocess.run(
        ["espeak-ng", *manner, "--stdout", word],  # noqa: S607 - a Debian package
        stdout=subprocess.PIPE,
        check=True,
    )
    with wave.open(io.BytesIO(done.stdout)) as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    sound = resample(sound, len(sound) * RATE_HZ // rate)
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    return Spoken(word, sound[loud[0] : loud[-1] + 1])


def speak_all(seed: int, *, held_out: bool, each_keyword: int, each_other: int) -> list[Spoken]:
    """So many takes of each keyword and of each other word, in drawn voices."""
    rng = np.random.default_rng(seed)
    voices = HELD_OUT_VOICES if held_out else VOICES
    accents = [*ACCENTS, HELD_OUT_ACCENT] if held_out else ACCENTS
    others = [*OTHER_WORDS, *HELD_OUT_WORDS] if held_out else OTHER_WORDS
    words = [*KEYWORDS * each_keyword, *others * each_other]
    takes = [
        (
            word + str(rng.choice(["", "", ".", "!", "?"])),
            str(rng.choice(accents)),
            str(rng.choice(voices)),
            int(rng.integers(110, 230)),
            int(rng.integers(15, 85)),
        )
        for word in words
    ]
    with ThreadPoolExecutor(2) as pool:
        spoken = pool.map(lambda take: speak(*take), takes)
        return [Spoken(word, each.sound) for word, each in zip(words, spoken, strict=True)]


def coloured(rng: Generator, exponent: float) -> Array:
    """A second of noise whose power falls as 1 / frequency^exponent, of variance 1."""
    frequencies = np.maximum(np.arange(SAMPLES // 2 + 1), 20.0)
    spectrum = rng.normal(size=len(frequencies)) + 1j * rng.normal(size=len(frequencies))
    sound = np.fft.irfft(spectrum * frequencies ** (-exponent / 2), SAMPLES)
    return sound / sound.std()


def noise(rng: Generator) -> Array:
    """A second of a surrounding, of variance about 1: hiss, rumble, a hum, clicks."""
    sound = coloured(rng, rng.uniform(0.0, 2.2))
    if rng.random() < 0.3:
        time = np.arange(SAMPLES) / RATE_HZ
        hum = rng.choice([50.0, 60.0, rng.uniform(80.0, 900.0)])
        for harmonic in range(1, 6):
            phase = rng.uniform(0.0, 2 * np.pi)
            sound += rng.uniform(0.0, 1.5 / harmonic) * np.sin(
                2 * np.pi * hum * harmonic * time + phase
            )
    if rng.random() < 0.15:
        for start in rng.integers(0, SAMPLES - 400, rng.integers(1, 5)):
            sound[start : start + 400] += (
                rng.normal(0.0, rng.uniform(2.0, 8.0), 400) * np.linspace(1.0, 0.0, 400) ** 3
            )
    return sound


def response(rng: Generator, sound: Array) -> Array:
    """Through a microphone: some bands up to 9 dB louder or quieter, little below 60 to 250 Hz."""
    frequencies = np.arange(len(sound) // 2 + 1) * RATE_HZ / len(sound)
    bands = np.interp(np.log2(frequencies + 40.0), np.linspace(5, 13, 7), rng.uniform(-9, 9, 7))
    low = frequencies / (frequencies + rng.uniform(30.0, 150.0))
    return np.fft.irfft(np.fft.rfft(sound) * low * 10 ** (bands / 20), len(sound))


def room(rng: Generator, sound: Array) -> Array:
    """With the echoes of a room."""
    length = rng.integers(400, 4000)
    echoes = rng.normal(size=length) * np.exp(-np.arange(length) / (length / 5))
    echoes *= rng.uniform(0.0, 0.6) / np.sqrt((echoes**2).sum())
    echoes[0] = 1.0
    size = len(sound) + length
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echoes, size), size)


def said(rng: Generator, spoken: Spoken) -> Array:
    """A second with the word somewhere in it, of power 1 while it lasts."""
    sound = resample(spoken.sound, int(len(spoken.sound) * rng.uniform(0.85, 1.2)))
    if rng.random() < 0.6:
        sound = room(rng, sound)
    sound = response(rng, sound)[: SAMPLES - 800]
    second = np.zeros(SAMPLES)
    start = rng.integers(0, SAMPLES - len(sound))
    second[start : start + len(sound)] = sound / np.sqrt((sound**2).mean())
    return second


def to_samples(sound: Array) -> NDArray[np.int16]:
    """Rounded and held to 16 bits."""
    samples: NDArray[np.int16] = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return samples


def record(rng: Generator, spoken: Spoken | None) -> NDArray[np.int16]:
    """A recording of a word, or of no word: `i16[16000]`."""
    surrounding = response(rng, noise(rng))
    if spoken is None:
        level_db = rng.uniform(-100.0, -20.0)
        return to_samples(surrounding * 32768 * 10 ** (level_db / 20))
    level_db = rng.uniform(-35.0, -10.0)
    above_noise_db = rng.uniform(5.0, 45.0)
    both = said(rng, spoken) + surrounding * 10 ** (-above_noise_db / 20)
    return to_samples(both * 32768 * 10 ** (level_db / 20))


def data_set(
    seed: int, takes: list[Spoken], each: int
) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """`each` recordings of every label, shuffled: the sounds and the labels."""
    rng = np.random.default_rng(seed)
    of_label: list[list[Spoken | None]] = [[None], [t for t in takes if t.word not in KEYWORDS]]
    of_label += [[take for take in takes if take.word == word] for word in KEYWORDS]
    labels = rng.permutation(np.repeat(np.arange(len(LABELS)), each))
    drawn = [of_label[label][rng.integers(len(of_label[label]))] for label in labels]
    return np.stack([record(rng, spoken) for spoken in drawn]), labels

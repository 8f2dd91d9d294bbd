/* Flash controllers as their manuals describe them, and a session that calls runevm_hal.h's flash on one:
 *
 *   sector ADDRESS | free | erase ADDRESS | write ADDRESS HEX | fill ADDRESS LENGTH | dump ADDRESS LENGTH
 *   long ADDRESS LENGTH   writes a byte that is said to be as many
 *   fault KIND     what the next operation meets: stuck, protected, weak (a bit does not change), dead (nothing happens)
 *   locked | config | sins
 *   unlock         somebody before has left it open
 *   holds          the controller calls a change sent when the chip is ready
 *   taken ENTRY    somebody uses that page of the ESP32's window on flash
 *
 * fill makes the programmed state behind the controller's back. A sin is what the manual forbids or what would hang a
 * processor; no driver may commit one. Chosen by -DFAKE_F4, -DFAKE_F1, -DFAKE_NRF, -DFAKE_ESP32 or -DFAKE_ESP32C3.
 * Numbers in hexadecimal. */
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "flash.h"

static std::vector<uint8_t> memory; /* what flash holds, from FLASH_START - MARGIN on */
static std::set<std::string> sins;
static std::string fault;
static const uint32_t MARGIN = 0x2000;
static const int BUSY_POLLS = 7;
static int busy; /* polls that remain; -1: for ever */
/* What may still be in the processor's buffer: registers and flash are not in order to each other. */
static bool flash_on_its_way, register_on_its_way;

static uint32_t base()
{
    return FLASH_START < MARGIN ? 0 : FLASH_START - MARGIN;
}

static bool in_flash(uint32_t address)
{
    return address >= base() && address - base() < memory.size();
}

static void sin(const std::string &what)
{
    sins.insert(what);
}

#if defined FAKE_F4 || defined FAKE_F1 || defined FAKE_NRF

static std::map<uint32_t, uint32_t> cached; /* words that a data cache still has */

static uint32_t word_at(uint32_t address)
{
    uint32_t word;
    std::memcpy(&word, &memory[address - base()], 4);
    return word;
}

static void begin()
{
    busy = fault == "stuck" ? -1 : BUSY_POLLS;
}

static bool is_busy()
{
    if (flash_on_its_way) sin("state read with what was stored not yet there");
    if (busy > 0) busy--;
    return busy != 0;
}

/* Bits go from 1 to 0 alone. */
static void program(uint32_t address, uint32_t value, unsigned bytes)
{
    begin();
    for (unsigned i = 0; i < bytes && fault != "dead" && fault != "protected"; i++) {
        uint8_t &cell = memory[address - base() + i];
        cell = static_cast<uint8_t>(cell & (value >> (8 * i)));
        if (fault == "weak") cell |= 0x10;
    }
}

static void erase(uint32_t first, uint32_t bytes)
{
    begin();
    if (fault == "dead" || fault == "protected") return;
    std::memset(&memory[first - base()], 0xFF, bytes);
    if (fault == "weak") memory[first - base() + bytes - 1] = 0xEF;
}

static uint32_t flash_read(uint32_t address)
{
    if (busy > 0) busy = 0; /* the bus waits */
    const auto found = cached.find(address);
    return found == cached.end() ? word_at(address) : found->second;
}

static void filled()
{
}

#endif

#if defined FAKE_F4 || defined FAKE_F1

static const uint32_t KEYS[2] = {0x45670123u, 0xCDEF89ABu};
static unsigned keys;
static bool locked = true, locked_up;
static uint32_t sr;

static void key(uint32_t value)
{
    if (!locked || locked_up || value != KEYS[keys]) {
        sin("a key that is wrong or one too many");
        locked_up = locked = true;
        return;
    }
    keys = (keys + 1) % 2;
    if (keys == 0) locked = false;
}

static void open_up()
{
    locked = false;
}

#endif

#ifdef FAKE_F4

static uint32_t acr = 0x705, cr;
static const uint32_t SR_WRPERR = 1u << 4, SR_PGPERR = 1u << 6, SR_PGSERR = 1u << 7, SR_BSY = 1u << 16;

/* RM0090, table 5. */
static void sector(unsigned number, uint32_t *first, uint32_t *bytes)
{
    static const uint32_t KIB[12] = {16, 16, 16, 16, 64, 128, 128, 128, 128, 128, 128, 128};
    *first = 0x08000000u;
    for (unsigned i = 0; i < number; i++) *first += KIB[i] * 1024;
    *bytes = KIB[number] * 1024;
}

static void start()
{
    const unsigned number = cr >> 3 & 31;
    uint32_t first, bytes;
    if ((cr & 0x8007u) != 2u || number > 11) {
        sin("start without a sector's erasure");
        return;
    }
    sector(number, &first, &bytes);
    if (fault == "protected" || !in_flash(first) || !in_flash(first + bytes - 1)) {
        sr |= SR_WRPERR;
        return;
    }
    for (uint32_t at = first; (acr & 1u << 10) != 0 && at < first + bytes; at += 4) cached[at] = word_at(at);
    erase(first, bytes);
}

static uint32_t controller_read(uint32_t address)
{
    switch (address) {
    case 0x40023C00u: return acr;
    case 0x40023C0Cu: return sr | (is_busy() ? SR_BSY : 0);
    case 0x40023C10u: return cr | (locked ? 1u << 31 : 0);
    default: sin("read where no register is"); return 0;
    }
}

static void controller_write(uint32_t address, uint32_t value)
{
    switch (address) {
    case 0x40023C00u:
        if ((value & 3u << 11) != 0 && ((value | acr) & 3u << 9) != 0) sin("caches reset while they are on");
        if ((value & 1u << 12) != 0) cached.clear();
        acr = value;
        break;
    case 0x40023C04u: key(value); break;
    case 0x40023C0Cu: sr &= ~value; break;
    case 0x40023C10u:
        if (busy != 0) sin("control written while busy");
        if (locked && value != 1u << 31) sin("control written while locked");
        if (locked) break;
        cr = value & ~(1u << 31 | 1u << 16);
        if ((value & 1u << 31) != 0) locked = true;
        if ((value & 1u << 16) != 0) start();
        break;
    default: sin("write where no register is");
    }
}

static void flash_write(uint32_t address, uint32_t value, unsigned bytes)
{
    if (locked || (cr & 0x8007u) != 1u) {
        sr |= SR_PGSERR;
    } else if (bytes != 1u << (cr >> 8 & 3)) {
        sr |= SR_PGPERR;
    } else if (fault == "protected") {
        sr |= SR_WRPERR;
    } else {
        program(address, value, bytes);
    }
}

static uint32_t config()
{
    return acr;
}

static bool is_locked()
{
    return locked;
}

#elif defined FAKE_F1

static uint32_t cr, ar;
static const uint32_t SR_BSY = 1, SR_PGERR = 1u << 2, SR_WRPRTERR = 1u << 4;

static void start()
{
    const uint32_t bytes = FLASH_END - 0x08000000u > 0x20000u ? 2048 : 1024; /* PM0075, tables 2 and 3 */
    if ((cr & ~0x40u) != 2u || !in_flash(ar)) {
        sin("start without a page's erasure");
    } else if (fault == "protected") {
        sr |= SR_WRPRTERR;
    } else {
        erase(ar & ~(bytes - 1), bytes);
    }
}

static uint32_t controller_read(uint32_t address)
{
    switch (address) {
    case 0x4002200Cu: return sr | (is_busy() ? SR_BSY : 0);
    case 0x40022010u: return cr | (locked ? 1u << 7 : 0);
    default: sin("read where no register is"); return 0;
    }
}

static void controller_write(uint32_t address, uint32_t value)
{
    if (busy != 0) sin("a register written while busy");
    switch (address) {
    case 0x40022004u: key(value); break;
    case 0x4002200Cu: sr &= ~value; break;
    case 0x40022010u:
        if (locked && value != 1u << 7) sin("control written while locked");
        if (locked) break;
        cr = value & ~0xC0u;
        if ((value & 1u << 7) != 0) locked = true;
        if ((value & 1u << 6) != 0) start();
        break;
    case 0x40022014u:
        if ((cr & 2) == 0) sin("an address before PER");
        ar = value;
        break;
    default: sin("write where no register is");
    }
}

static void flash_write(uint32_t address, uint32_t value, unsigned bytes)
{
    uint16_t cell;
    std::memcpy(&cell, &memory[address - base()], 2);
    if (bytes != 2) {
        sin("not a half word"); /* a bus error */
    } else if (locked || cr != 1u) {
        sin("written without PG alone");
    } else if (fault == "protected") {
        sr |= SR_WRPRTERR;
    } else if (cell != 0xFFFF && value != 0) {
        sr |= SR_PGERR;
    } else {
        program(address, value, bytes);
    }
}

static uint32_t config()
{
    return cr;
}

static bool is_locked()
{
    return locked;
}

#elif defined FAKE_NRF

static uint32_t mode;
static std::map<uint32_t, int> written;

static void open_up()
{
    mode = 1;
}

static uint32_t controller_read(uint32_t address)
{
    switch (address) {
    case 0x4001E400u: return is_busy() ? 0 : 1;
    case 0x4001E504u: return mode;
    default: sin("read where no register is"); return 0;
    }
}

static void controller_write(uint32_t address, uint32_t value)
{
    if (busy != 0) sin("a register written while busy");
    switch (address) {
    case 0x4001E504u:
        if (value > 2) sin("no mode");
        mode = value;
        break;
    case 0x4001E508u:
        if (mode != 2 || value % 4096 != 0 || !in_flash(value)) {
            sin("erasure of no page or in another mode");
        } else {
            for (uint32_t at = value; at < value + 4096; at += 4) written.erase(at);
            erase(value, 4096);
        }
        break;
    default: sin("write where no register is");
    }
}

static void flash_write(uint32_t address, uint32_t value, unsigned bytes)
{
    if (mode != 1) {
        sin("written without Wen"); /* a bus fault */
    } else if (bytes != 4) {
        sin("not a word"); /* a hard fault */
    } else {
        if (++written[address] > 2) sin("a word written more often than nWRITE");
        program(address, value, bytes);
    }
}

static uint32_t config()
{
    return mode;
}

static bool is_locked()
{
    return mode == 0;
}

#elif defined FAKE_ESP32 || defined FAKE_ESP32C3

#include "fake_spi_flash.h"

#endif

uint32_t fake_read(uint32_t address, unsigned bytes)
{
    if (!in_flash(address)) {
        if (bytes != 4) sin("a register read by parts");
        return controller_read(address);
    }
    if (address % bytes != 0 || bytes != 4) sin("flash read by parts");
    return flash_read(address);
}

void fake_write(uint32_t address, uint32_t value, unsigned bytes)
{
    if (!in_flash(address)) {
        if (bytes != 4) sin("a register written by parts");
        register_on_its_way = true;
        controller_write(address, value);
        return;
    }
    if (register_on_its_way) sin("flash written with the controller not yet set");
    flash_on_its_way = true;
    if (busy != 0) sin("flash written while busy");
    if (address % bytes != 0) {
        sin("flash written across words");
        return;
    }
    flash_write(address, value, bytes);
}

void fake_barrier()
{
    flash_on_its_way = register_on_its_way = false;
}

static std::vector<uint8_t> from_hex(const std::string &text)
{
    std::vector<uint8_t> bytes;
    for (size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

static std::string range(runevm_flash_range found)
{
    char text[32];
    std::snprintf(text, sizeof text, "%" PRIx32 " %" PRIx32, found.first, found.size_bytes);
    return text;
}

int main()
{
    std::string line;
    memory.assign(FLASH_END + MARGIN - base(), 0xFF);
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string what, text;
        uint32_t address = 0, length = 0;
        words >> what;
        if (what == "fault") {
            words >> fault;
        } else {
            words >> std::hex >> address;
        }
        if (what == "sector") {
            std::cout << range(runevm_hal_flash_sector(address));
        } else if (what == "free") {
            std::cout << range(runevm_hal_flash_free());
        } else if (what == "erase") {
            std::cout << runevm_hal_flash_erase(address);
        } else if (what == "write") {
            words >> text;
            const std::vector<uint8_t> bytes = from_hex(text);
            std::cout << runevm_hal_flash_write(address, bytes.data(), bytes.size());
        } else if (what == "long") {
            const uint8_t byte = 0;
            words >> length;
            std::cout << runevm_hal_flash_write(address, &byte, length);
        } else if (what == "fill") {
            words >> length;
            std::memset(&memory[address - base()], 0xA5, length);
            filled();
        } else if (what == "unlock") {
            open_up();
#ifdef FAKE_ESP32
        } else if (what == "taken") {
            take_page(address);
#endif
#if defined FAKE_ESP32 || defined FAKE_ESP32C3
        } else if (what == "holds") {
            holds_back = true;
#endif
        } else if (what == "dump") {
            words >> length;
            for (uint32_t i = 0; i < length; i++) std::printf("%02x", memory[address + i - base()]);
            std::fflush(stdout);
        } else if (what == "locked") {
            std::cout << is_locked();
        } else if (what == "config") {
            std::cout << std::hex << config() << std::dec;
        } else if (what == "sins") {
            for (const std::string &each : sins) std::cout << each << "; ";
        }
        std::cout << std::endl;
    }
    return 0;
}

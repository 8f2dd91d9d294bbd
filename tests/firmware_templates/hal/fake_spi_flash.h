/* For fake_flash.cpp: the flash of an ESP32 or ESP32-C3. A chip of serial NOR flash, Espressif's second controller
 * (SPI1) through which commands reach it, and the cache through which the program reads. Registers as in Espressif's
 * headers and SVD files; the chip as the data sheet of a W25Q32 has it.
 *
 * What the manuals say, and what would hang or mislead a processor, is a sin: a change of the chip, or a wait for it,
 * with the cache on; a read of flash with the cache off, or of a page that is not mapped; commands to a chip that is
 * busy or on more lines or with a faster clock than is said; code in RAM that is not there yet. */

#ifdef FAKE_ESP32
static const uint32_t SPI1 = 0x3FF42000u, STATUS_AT = 0x10, CLOCK_AT = 0x18, USER_AT = 0x1C, DATA_AT = 0x80;
static const uint32_t SLOW = 0x3043; /* 80 MHz / 4 */
static const uint32_t FIRST_OFFSET = HAL_STORAGE_OFFSET;
#else
static const uint32_t SPI1 = 0x60002000u, STATUS_AT = 0x2C, CLOCK_AT = 0x14, USER_AT = 0x18, DATA_AT = 0x58;
static const uint32_t SLOW = 0x00030103;
static const uint32_t FIRST_OFFSET = 0x200000; /* flash as it is, from 0x3C000000 on */
#endif
static const uint32_t WIP = 1, WEL = 2;
static const uint32_t LINE = 32;

/* What a loader may leave: reads by two lines, with dummy cycles and 28 bits of address, at full speed. */
static std::map<uint32_t, uint32_t> spi = {
    {0x08, 0x01B16000u}, {CLOCK_AT, 0x80000000u}, {USER_AT, 0x70000020u}, {USER_AT + 4, 27u << 26 | 3u}};
static uint32_t chip_status, command;
static int sending;
static bool holds_back; /* a change is sent when the chip is ready, not before */

uint32_t runec_ram_code_start[3];
extern const uint32_t runec_ram_code_load[3] = {0x12345678u, 0x9ABCDEF0u, 0x0F1E2D3Cu};

static void code_must_be_loaded()
{
    for (unsigned i = 0; i < 3; i++) {
        if (runec_ram_code_start[i] != runec_ram_code_load[i]) sin("code run from RAM before it is there");
    }
}

/* The cache, by lines of their addresses. */
static std::set<uint32_t> lines;
static std::map<uint32_t, uint8_t> line_bytes;
static bool cache_is_on = true;
static int cache_work = 3; /* polls until it rests */

static bool is_mapped(uint32_t address);

static bool cache_rests()
{
    if (fault == "restless") return false;
    if (cache_work > 0) cache_work--;
    return cache_work == 0;
}

static uint32_t flash_read(uint32_t address)
{
    uint32_t word;
    uint8_t bytes[4];
    const uint32_t line = address & ~(LINE - 1);
    if (!cache_is_on) sin("flash read with the cache off");
    if (!is_mapped(address)) {
        sin("flash read where none is mapped");
        return 0xBAD00BAD;
    }
    if ((chip_status & WIP) != 0 && fault != "stuck") sin("flash read while it is busy");
    if (lines.insert(line).second) {
        for (uint32_t i = 0; i < LINE; i++) line_bytes[line + i] = memory[line + i - base()];
    }
    for (uint32_t i = 0; i < 4; i++) bytes[i] = line_bytes[address + i];
    std::memcpy(&word, bytes, 4);
    return word;
}

#ifdef FAKE_ESP32

static uint32_t cache_control = 0x10838, flushing; /* flushed at reset, and on */
static std::map<uint32_t, uint32_t> pages; /* of the data window; the loader has the first eight */

static uint32_t page_of(uint32_t entry)
{
    const auto found = pages.find(entry);
    return found == pages.end() ? (entry < 8 ? entry + 1 : 0x100) : found->second;
}

static bool is_mapped(uint32_t address)
{
    const uint32_t offset = address - FLASH_START + FIRST_OFFSET;
    return page_of((address - 0x3F400000u) >> 16) == offset >> 16;
}

static uint32_t cache_read(uint32_t address)
{
    if (address >= 0x3FF10000u && address < 0x3FF10100u) return page_of((address - 0x3FF10000u) / 4);
    switch (address) {
    case 0x3FF00040u:
        if (flushing > 0 && --flushing == 0) {
            cache_control |= 0x20;
            lines.clear();
        }
        return cache_control;
    case 0x3FF003F0u: return (cache_rests() ? 1u : 4u) << 7;
    default: sin("read where no register is"); return 0;
    }
}

static void cache_write(uint32_t address, uint32_t value)
{
    code_must_be_loaded();
    if (address >= 0x3FF10000u && address < 0x3FF10100u) {
        const uint32_t entry = (address - 0x3FF10000u) / 4;
        if (cache_is_on) sin("a page mapped with the cache on");
        if (page_of(entry) != 0x100) sin("a page of somebody else taken");
        pages[entry] = value;
        return;
    }
    if (address != 0x3FF00040u) sin("write where no register is");
    if ((value & 8) == 0 && cache_is_on && cache_work > 0) sin("cache off while it works");
    if (((value ^ cache_control) & ~0x38u) != 0) sin("more of the cache changed");
    if ((value & 0x10) != 0 && (cache_control & 0x10) == 0) {
        if (cache_is_on) sin("flushed with the cache on");
        flushing = 4;
        cache_control &= ~0x20u;
    }
    if (flushing > 0 && (value & 0x10) == 0) sin("flush given up");
    cache_is_on = (value & 8) != 0;
    cache_control = (value & ~0x20u) | (cache_control & 0x20);
}

static std::string cache_config()
{
    return (cache_is_on ? "on " : "off ") + std::to_string(cache_control & ~0x30u);
}

static void take_page(uint32_t entry)
{
    pages[entry] = 3;
}

#else

static uint32_t cache_control = 0x41, autoload = 0x44, sync_address, sync_lines;
static int syncing, loading = 3;

static void forget(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) lines.erase(first + i * LINE);
}

static bool is_mapped(uint32_t address)
{
    return address - 0x3C000000u < 0x400000u;
}

static uint32_t cache_read(uint32_t address)
{
    switch (address) {
    case 0x600C4000u: return cache_control;
    case 0x600C4028u:
        if (syncing > 0 && --syncing == 0) forget(sync_address, sync_lines);
        return syncing > 0 ? 1 : 2;
    case 0x600C4040u:
        if (loading > 0 && (autoload & 4) == 0) loading--;
        return autoload | (loading > 0 ? 0 : 8);
    case 0x600C40B0u: return !cache_is_on && cache_rests() ? 1 : 0x11;
    default: sin("read where no register is"); return 0;
    }
}

static void cache_write(uint32_t address, uint32_t value)
{
    code_must_be_loaded();
    switch (address) {
    case 0x600C4000u:
        if (syncing > 0) sin("cache on while it forgets");
        if ((value & 1) == 0 && ((autoload & 4) != 0 || loading > 0)) sin("cache off while it loads ahead");
        if (value >> 1 != cache_control >> 1) sin("more of the cache changed");
        cache_is_on = (value & 1) != 0;
        if (cache_is_on) cache_work = 3;
        cache_control = value;
        break;
    case 0x600C4028u:
        if ((value & 1) == 0) sin("a sync that forgets nothing");
        if (cache_is_on) sin("forgotten with the cache on");
        if (sync_address % LINE != 0 || sync_lines == 0) sin("no lines to forget");
        syncing = 4;
        break;
    case 0x600C402Cu: sync_address = value; break;
    case 0x600C4030u: sync_lines = value; break;
    case 0x600C4040u:
        if ((value & 4) != 0 && !cache_is_on) sin("loads ahead with the cache off");
        if ((value & 4) != 0) loading = 3;
        autoload = value & ~8u;
        break;
    default: sin("write where no register is");
    }
}

static std::string cache_config()
{
    return (cache_is_on ? "on " : "off ") + std::to_string(autoload);
}

#endif

static void change_chip(bool erasing)
{
    uint32_t offset = spi[0x04] & 0xFFFFFF;
    const uint32_t length = spi[0x04] >> 24;
    if ((chip_status & WEL) == 0) return sin("a change that is not enabled");
    if (fault == "protected") return; /* the chip says nothing, and stays enabled */
    chip_status = WIP;
    busy = fault == "stuck" ? -1 : BUSY_POLLS;
    if (fault == "dead") return;
    if (erasing) {
        if (length != 0) sin("an erasure with a length");
        offset &= ~0xFFFu;
    } else if (length == 0 || length > 64 || (offset & 255) + length > 256) {
        return sin("a program over the edge of a page, or of nothing");
    }
    const uint32_t first = offset - FIRST_OFFSET + MARGIN;
    const uint32_t count = erasing ? 4096 : length;
    if (first + count > memory.size()) return sin("a change of flash that is not the board's");
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t word = spi[DATA_AT + (i & ~3u)];
        uint8_t &cell = memory[first + i];
        cell = static_cast<uint8_t>(erasing ? 0xFF : cell & word >> 8 * (i & 3));
    }
    if (fault == "weak" && erasing) memory[first + count - 1] = 0xEF;
    if (fault == "weak" && !erasing) memory[first] |= 0x10;
}

static void send(uint32_t value)
{
    code_must_be_loaded();
    if (sending > 0) sin("two commands at once");
    if (cache_is_on) sin("a command with the cache on");
    if ((spi[0x08] & 0x01906000u) != 0) sin("a command with the chip on several lines");
    if ((spi[USER_AT] & 0x2000F000u) != 0 || spi[USER_AT] >> 30 != 3) sin("a command with phases that it has not");
    if ((spi[USER_AT] & 0x20) == 0) sin("a command without the time that selects the chip");
    if (spi[USER_AT + 4] >> 26 != 23) sin("an address of another length");
    if (spi[CLOCK_AT] != SLOW) sin("a command at a speed that is not every chip's");
    command = value;
    sending = fault == "jammed" ? -1 : 2;
    if (fault == "jammed") return;
    if ((chip_status & WIP) != 0 && value != 1u << 27) return sin("a command to a chip that is busy");
    switch (value) {
    case 1u << 30:
        if (fault != "deaf") chip_status |= WEL;
        break;
    case 1u << 29: chip_status &= ~WEL; break;
    case 1u << 27:
        if (busy > 0 && --busy == 0) chip_status &= ~WIP;
        spi[STATUS_AT] = chip_status;
        break;
    case 1u << 25:
    case 1u << 24:
        change_chip(value == 1u << 24);
        if (holds_back && busy > 0) sending = 150000; /* as a sector takes long */
        break;
    default: sin("another command");
    }
}

static uint32_t controller_read(uint32_t address)
{
    if (address - SPI1 >= 0x100) return cache_read(address);
    if (address != SPI1) return spi[address - SPI1];
    if (sending > 0 && --sending == 0) {
        command = 0;
        if (holds_back && (chip_status & WIP) != 0 && busy > 0) {
            busy = 0;
            chip_status &= ~WIP;
        }
    }
    return command;
}

static void controller_write(uint32_t address, uint32_t value)
{
    if (address - SPI1 >= 0x100) return cache_write(address, value);
    if (address == SPI1) return send(value);
    if (sending != 0 && fault != "jammed") sin("a register written while a command is sent");
    spi[address - SPI1] = value;
}

static void flash_write(uint32_t, uint32_t, unsigned)
{
    sin("flash stored to");
}

static void filled()
{
    lines.clear();
}

static void open_up()
{
    chip_status |= WEL;
}

/* All that a loader has set, and the cache. */
static std::string config()
{
    std::ostringstream said;
    for (uint32_t at : {static_cast<uint32_t>(0x08), CLOCK_AT, USER_AT, USER_AT + 4}) said << std::hex << spi[at] << " ";
    return said.str() + cache_config();
}

static bool is_locked()
{
    return (chip_status & WEL) == 0;
}

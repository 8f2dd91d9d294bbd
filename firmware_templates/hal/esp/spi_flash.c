/* SPDX-License-Identifier: Apache-2.0 */
/* Flash of an ESP32 or ESP32-C3: a chip of serial NOR flash, out of which the program runs through a cache (SPI0). It is
 * written by a second controller, SPI1, with the commands that every such chip has: sectors of 4 KiB, words.
 *
 * From the chip's writing until it is ready nothing can be fetched from it, so what runs meanwhile lies in RAM, calls
 * nothing that does not, and finds the cache off. No interrupts are on in this firmware; other code that has some
 * must see to it that they and what they use lie in RAM too. Nor can a program run out of a chip that never becomes
 * ready again: it continues after a time-out with its code in the cache.
 *
 * Registers: Espressif's technical reference manual of the ESP32, version 5, chapter "SPI Controller"; those of the
 * ESP32-C3 are alike and stand in its headers and SVD file alone. The commands: any data sheet of such a chip. */
#include "esp.h"
#include "esp_chip.h"
#include "flash.h"
#include "register.h"

#define COMMAND REGISTER(ESP_SPI1_BASE + 0x00u)
#define ADDRESS REGISTER(ESP_SPI1_BASE + 0x04u)
#define CONTROL REGISTER(ESP_SPI1_BASE + 0x08u)
#define STATUS REGISTER(ESP_SPI1_BASE + ESP_SPI_STATUS)
#define CLOCK REGISTER(ESP_SPI1_BASE + ESP_SPI_CLOCK)
#define USER REGISTER(ESP_SPI1_BASE + ESP_SPI_USER)
#define USER1 REGISTER(ESP_SPI1_BASE + ESP_SPI_USER + 4u)
#define DATA REGISTER(ESP_SPI1_BASE + ESP_SPI_DATA)

/* COMMAND: each bit sends one, and goes when it is sent. */
#define WRITE_ENABLE (1u << 30)
#define WRITE_DISABLE (1u << 29)
#define READ_STATUS (1u << 27)
#define PAGE_PROGRAM (1u << 25)
#define SECTOR_ERASE (1u << 24)

#define LENGTH(bytes) ((uint32_t)(bytes) << 24) /* ADDRESS: of the data to program */
#define READS_BY_TWO_OR_FOUR ((1u << 24) | (1u << 23) | (1u << 20) | (1u << 14) | (1u << 13)) /* CONTROL */
#define SENDS_COMMAND_AND_ADDRESS (3u << 30) /* USER */
#define DUMMY (1u << 29)
#define WRITES_BY_TWO_OR_FOUR (15u << 12)
#define ADDRESS_BITS(count) (((count) - 1u) << 26) /* USER1 */
#define BUSY (1u << 0) /* STATUS: the chip's own */
#define ENABLED (1u << 1)

enum { SECTOR_BYTES = 4096, WORD_BYTES = 4, SEND_POLLS = 100000 };
#define NO_STATUS 0xFFFFFFFFu

/* Data sheets' most for a sector is 0.4 s. A poll of the status is a command of 16 bits at 20 MHz at most, 0.8
 * microseconds; one of the controller takes four cycles or more. A controller may call a change sent when the chip is
 * ready, or before. */
#define READY_POLLS (ESP_CLOCK_HZ_MAX / 64u)
#define CHANGE_POLLS (ESP_CLOCK_HZ_MAX / 4u)

/* Places of the linker script: what RUNEC_RAM_CODE marks, in RAM, and where it is in flash. */
extern uint32_t runec_ram_code_start[], runec_ram_code_end[];
extern const uint32_t runec_ram_code_load[];

runevm_flash_range flash_chip_sector(uint32_t address)
{
    runevm_flash_range sector = {0, 0};
    if (!esp_flash_is_mapped()) return sector;
    sector.first = address & ~(SECTOR_BYTES - 1u);
    sector.size_bytes = SECTOR_BYTES;
    return sector;
}

RUNEC_RAM_CODE static int is_sent(uint32_t polls)
{
    for (uint32_t i = 0; i < polls; i++) {
        if (COMMAND == 0) return 1;
    }
    return 0;
}

RUNEC_RAM_CODE static int send(uint32_t command)
{
    COMMAND = command;
    return is_sent(SEND_POLLS);
}

RUNEC_RAM_CODE static uint32_t status(void)
{
    STATUS = 0;
    return send(READ_STATUS) ? STATUS & 0xFFu : NO_STATUS;
}

RUNEC_RAM_CODE static int is_ready(void)
{
    uint32_t now = status();
    for (uint32_t i = 0; i < READY_POLLS && now != NO_STATUS; i++) {
        if ((now & BUSY) == 0) return 1;
        now = status();
    }
    return 0;
}

/* Of a chip that is ready, as flash_chip_open() and every change leave it. */
RUNEC_RAM_CODE static int change(uint32_t command, uint32_t address, uint32_t word)
{
    if (!send(WRITE_ENABLE) || (status() & (BUSY | ENABLED)) != ENABLED) return 0;
    ADDRESS = address;
    DATA = word;
    COMMAND = command;
    return is_sent(CHANGE_POLLS) && is_ready();
}

/* The commands of a change, or with 0 the one that forbids changes, with SPI1 as they want it: one line, no more
 * than 20 MHz. Afterwards these four registers are restored for other users. */
RUNEC_RAM_CODE static int exchange(uint32_t command, uint32_t address, uint32_t word)
{
    const uint32_t control = CONTROL, user = USER, user1 = USER1, clock = CLOCK;
    int done;
    if (!is_sent(SEND_POLLS)) return 0;
    CONTROL = control & ~READS_BY_TWO_OR_FOUR;
    USER = (user & ~(DUMMY | WRITES_BY_TWO_OR_FOUR)) | SENDS_COMMAND_AND_ADDRESS;
    USER1 = ADDRESS_BITS(24u);
    CLOCK = ESP_SPI_20_MHZ;
    done = command != 0 ? change(command, address, word) : is_ready() && send(WRITE_DISABLE);
    CLOCK = clock;
    USER1 = user1;
    USER = user;
    CONTROL = control;
    return done;
}

RUNEC_RAM_CODE static int without_cache(uint32_t command, runevm_flash_range range, uint32_t address, uint32_t word)
{
    int done;
    if (!esp_cache_off()) return -1;
    done = exchange(command, address, word);
    esp_cache_on(range);
    return done ? 0 : -1;
}

/* By words and volatile: RAM for code takes nothing else, and the compiler would call memcpy(). */
void esp_ram_code_load(void)
{
    const uint32_t *from = runec_ram_code_load;
    for (volatile uint32_t *to = runec_ram_code_start; to < runec_ram_code_end; to++) *to = *from++;
    register_code_barrier();
}

int flash_chip_open(void)
{
    const runevm_flash_range nothing = {FLASH_START, 0};
    esp_ram_code_load();
    return without_cache(0, nothing, 0, 0);
}

int flash_chip_erase(runevm_flash_range sector)
{
    return without_cache(SECTOR_ERASE, sector, esp_flash_offset(sector.first), 0);
}

int flash_chip_program(uint32_t address, uint32_t word)
{
    const runevm_flash_range range = {address, WORD_BYTES};
    return without_cache(PAGE_PROGRAM, range, esp_flash_offset(address) | LENGTH(WORD_BYTES), word);
}

void flash_chip_close(void)
{
    const runevm_flash_range nothing = {FLASH_START, 0};
    (void)without_cache(0, nothing, 0, 0);
}

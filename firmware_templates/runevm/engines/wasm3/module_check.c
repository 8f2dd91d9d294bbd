/* SPDX-License-Identifier: Apache-2.0 */
/* WebAssembly core specification 1.0, section 5.4 and 5.5, with sign extension, saturating conversions, memory.copy and
 * memory.fill: what wasm3 knows. */
#include "module_check.h"

#include <stdbool.h>
#include <stddef.h>

static const char malformed[] = "the module is malformed";
static const char unknown[] = "the module has an unknown instruction";
static const char too_deep[] = "a function has blocks nested too deeply";

enum { HEAD_BYTES = 8, SECTION_CODE = 10, SECTION_DATA = 11 };

/* `failed` stays set: what is read afterwards is 0, and nothing is left. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} cursor;

static uint32_t left(const cursor *from)
{
    return (uint32_t)(from->end - from->at);
}

static void fail(cursor *from)
{
    from->failed = true;
    from->at = from->end;
}

static void skip(cursor *from, uint32_t count)
{
    if (count > left(from)) {
        fail(from);
    } else {
        from->at += count;
    }
}

static uint8_t next_byte(cursor *from)
{
    if (from->at == from->end) {
        fail(from);
        return 0;
    }
    return *from->at++;
}

/* An LEB128 of at most `bytes_max` bytes; of more than 32 bits only the lower ones are returned. */
static uint32_t number(cursor *from, uint32_t bytes_max)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < bytes_max; i++) {
        const uint8_t byte = next_byte(from);
        if (i < 5) value |= (uint32_t)(byte & 0x7fu) << (7u * i);
        if (byte < 0x80u) return value;
    }
    fail(from);
    return 0;
}

static uint32_t number32(cursor *from)
{
    return number(from, 5);
}

/* Takes the next `count` bytes out as a part of their own. */
static cursor part(cursor *from, uint32_t count)
{
    cursor taken = {from->at, from->at, false};
    skip(from, count);
    taken.end = from->at;
    taken.failed = from->failed;
    if (taken.failed) taken.at = taken.end;
    return taken;
}

static void skip_branch_table(cursor *body)
{
    const uint32_t count = number32(body);
    if (count >= left(body)) { /* a target takes a byte at least, and the default follows */
        fail(body);
        return;
    }
    for (uint32_t i = 0; i <= count && !body->failed; i++) (void)number32(body);
}

/* Skips what follows an opcode that is not a block's; false: there is no such instruction. */
static bool skip_operands(cursor *body, uint8_t opcode)
{
    if (opcode == 0x0e) {
        skip_branch_table(body);
    } else if (opcode == 0x11 || (opcode >= 0x28 && opcode <= 0x3e)) { /* call_indirect; alignment, offset */
        (void)number32(body);
        (void)number32(body);
    } else if (opcode == 0x0c || opcode == 0x0d || opcode == 0x10 || (opcode >= 0x20 && opcode <= 0x24)
               || opcode == 0x3f || opcode == 0x40 || opcode == 0x41) {
        (void)number32(body);
    } else if (opcode == 0x42) {
        (void)number(body, 10);
    } else if (opcode == 0x43 || opcode == 0x44) {
        skip(body, opcode == 0x43 ? 4 : 8);
    } else if (opcode == 0xfc) {
        const uint8_t which = next_byte(body);
        if (which > 7 && which != 10 && which != 11) return false;
        if (which > 7) skip(body, which == 10 ? 2 : 1);
    } else {
        return opcode <= 0x01 || opcode == 0x05 || opcode == 0x0f || opcode == 0x1a || opcode == 0x1b
               || (opcode >= 0x45 && opcode <= 0xc4);
    }
    return true;
}

static const char *check_function(cursor body, uint32_t nesting_max)
{
    uint32_t depth = 1;
    for (uint32_t groups = number32(&body); groups > 0 && !body.failed; groups--) {
        (void)number32(&body);
        (void)next_byte(&body);
    }
    while (depth > 0 && !body.failed) {
        const uint8_t opcode = next_byte(&body);
        if (opcode >= 0x02 && opcode <= 0x04) {
            (void)number32(&body); /* of 33 bits: the block's type */
            if (++depth > nesting_max) return too_deep;
        } else if (opcode == 0x0b) {
            depth--;
        } else if (!skip_operands(&body, opcode)) {
            return unknown;
        }
    }
    return body.failed || body.at != body.end ? malformed : NULL;
}

static const char *check_code(cursor section, uint32_t nesting_max)
{
    for (uint32_t count = number32(&section); count > 0 && !section.failed; count--) {
        const char *wrong = check_function(part(&section, number32(&section)), nesting_max);
        if (wrong != NULL) return wrong;
    }
    return section.failed || section.at != section.end ? malformed : NULL;
}

/* The expression that says where a data segment lies. */
static bool skip_constant(cursor *section)
{
    while (!section->failed) {
        const uint8_t opcode = next_byte(section);
        if (opcode == 0x0b) return !section->failed;
        if (opcode != 0x23 && (opcode < 0x41 || opcode > 0x44)) return false;
        (void)skip_operands(section, opcode);
    }
    return false;
}

static const char *check_data(cursor section)
{
    for (uint32_t count = number32(&section); count > 0 && !section.failed; count--) {
        if (number32(&section) != 0 || !skip_constant(&section)) return malformed;
        skip(&section, number32(&section));
    }
    return section.failed ? malformed : NULL;
}

const char *runevm_check_module(const uint8_t *code, uint32_t code_bytes, uint32_t nesting_max)
{
    cursor module = {code, code + code_bytes, false};
    skip(&module, HEAD_BYTES); /* wasm3 looks at them */
    while (left(&module) > 0) {
        const uint8_t id = next_byte(&module);
        const cursor section = part(&module, number32(&module));
        const char *wrong = section.failed       ? malformed
                            : id == SECTION_CODE ? check_code(section, nesting_max)
                            : id == SECTION_DATA ? check_data(section)
                                                 : NULL;
        if (wrong != NULL) return wrong;
    }
    return module.failed ? malformed : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "run_context.h"

#include <string.h>

#include "json_reader.h"
#include "runevm_engine.h"
#include "utf8.h"

void runevm_set_place(runevm *vm, runevm_text place)
{
    if (vm->place[0] == '\0') {
        runevm_text_copy(place, vm->place, sizeof vm->place);
    }
}

void runevm_set_detail(runevm *vm, const char *detail)
{
    if (detail != NULL && vm->detail[0] == '\0') {
        size_t kept = runevm_utf8_cut(detail, strlen(detail), sizeof vm->detail - 1);
        memcpy(vm->detail, detail, kept);
        vm->detail[kept] = '\0';
    }
}

const char *runevm_error_place(const runevm *vm)
{
    return vm->place;
}

const char *runevm_error_detail(const runevm *vm)
{
    return vm->detail;
}

void runevm_forget_error(runevm *vm)
{
    vm->place[0] = '\0';
    vm->detail[0] = '\0';
    vm->debug[0] = '\0';
}

static uint32_t now_ms(const runevm *vm)
{
    const runevm_callbacks *callbacks = &vm->config.callbacks;
    return callbacks->milliseconds != NULL ? callbacks->milliseconds(callbacks->user) : 0;
}

void runevm_begin_time(runevm *vm)
{
    vm->waited_ms = 0;
    vm->began_ms = now_ms(vm);
}

uint32_t runevm_time_taken_ms(const runevm *vm)
{
    return now_ms(vm) - vm->began_ms - vm->waited_ms;
}

bool runevm_time_is_over(runevm *vm)
{
    return runevm_time_taken_ms(vm) >= vm->config.time_budget_ms;
}

uint32_t runevm_begin_wait(const runevm *vm)
{
    return now_ms(vm);
}

void runevm_end_wait(runevm *vm, uint32_t since_ms)
{
    vm->waited_ms += now_ms(vm) - since_ms;
}

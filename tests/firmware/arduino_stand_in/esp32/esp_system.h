/* What wasm3 takes from this header of the ESP32's core: where code goes that runs from RAM. */
#pragma once
#define IRAM_ATTR __attribute__((section(".iram1")))

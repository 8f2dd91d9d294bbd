/* What the firmware takes from this header of the ESP32's core: RAM that a restart leaves as it is. */
#pragma once
#define RTC_NOINIT_ATTR __attribute__((section(".rtc_noinit")))

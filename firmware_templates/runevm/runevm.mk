# SPDX-License-Identifier: Apache-2.0
#
# runevm in a Makefile:
#
#   RUNEVM_WASM3_DIR = /path/to/wasm3/source           # the folder with wasm3.h
#   RUNEVM_TFLM_DIR = /path/to/tflite-micro            # the folder with tensorflow/; only for runes with models
#   include runevm/runevm.mk
#   my_firmware: main.o $(RUNEVM_OBJECTS)
#           $(CC) $^ -lm -o $@
#   main.o: CPPFLAGS += $(RUNEVM_CPPFLAGS)
#
# CC, CXX, CFLAGS and CXXFLAGS are yours: the processor, optimisation, debugging. Objects go to RUNEVM_BUILD. Folders whose
# names contain spaces are not supported. `runec components fetch` brings wasm3 and TensorFlow Lite Micro in the versions
# that runevm is tested with, and prints their folders.
RUNEVM_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
RUNEVM_BUILD ?= build/runevm

# Results are the host's only when a multiplication and an addition stay two operations.
RUNEVM_FLAGS = -fno-fast-math -ffp-contract=off -ffunction-sections -fdata-sections
RUNEVM_WARNINGS = -Wall -Wextra
RUNEVM_CPPFLAGS = -I$(RUNEVM_DIR)/include
RUNEVM_OBJECTS := $(patsubst $(RUNEVM_DIR)/%.c,$(RUNEVM_BUILD)/%.o,$(wildcard $(RUNEVM_DIR)/src/*.c))

$(RUNEVM_BUILD)/src/%.o: $(RUNEVM_DIR)/src/%.c $(wildcard $(RUNEVM_DIR)/src/*.h $(RUNEVM_DIR)/include/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=gnu11 $(RUNEVM_FLAGS) $(RUNEVM_WARNINGS) -I$(RUNEVM_DIR)/include -c $< -o $@

ifneq ($(RUNEVM_WASM3_DIR),)
RUNEVM_ENGINE := $(RUNEVM_DIR)/engines/wasm3
RUNEVM_CPPFLAGS += -I$(RUNEVM_ENGINE)
RUNEVM_OBJECTS += $(RUNEVM_BUILD)/wasm3/engine_wasm3.o $(RUNEVM_BUILD)/wasm3/module_check.o
RUNEVM_OBJECTS += $(foreach name,bind code compile core emit env exec function module parse,$(RUNEVM_BUILD)/wasm3/m3_$(name).o)

$(RUNEVM_BUILD)/wasm3/%.o: $(RUNEVM_ENGINE)/%.c $(wildcard $(RUNEVM_ENGINE)/*.h $(RUNEVM_DIR)/include/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=gnu11 $(RUNEVM_FLAGS) $(RUNEVM_WARNINGS) $(RUNEVM_CPPFLAGS) -isystem $(RUNEVM_WASM3_DIR) -c $< -o $@

$(RUNEVM_BUILD)/wasm3/m3_%.o: $(RUNEVM_WASM3_DIR)/m3_%.c $(wildcard $(RUNEVM_ENGINE)/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=gnu11 $(RUNEVM_FLAGS) -w -fno-strict-aliasing -DNDEBUG -I$(RUNEVM_ENGINE) -I$(RUNEVM_WASM3_DIR) \
		-include $(RUNEVM_ENGINE)/$(if $(filter compile,$*),wasm3_loops.h,wasm3_config.h) -c $< -o $@
endif

ifneq ($(RUNEVM_TFLM_DIR),)
RUNEVM_MODELS := $(RUNEVM_DIR)/models/tflm
# Defines runevm_tflm_operators(); a copy with the operators of your models only saves flash.
RUNEVM_TFLM_OPERATORS ?= $(RUNEVM_MODELS)/all_operators.cc
RUNEVM_CPPFLAGS += -I$(RUNEVM_MODELS)
RUNEVM_TFLM_SOURCES := $(shell grep '^[^\#]' $(RUNEVM_MODELS)/sources.txt)
RUNEVM_TFLM_OWN := model_tflm.o quantize_tflm.o depthwise_conv.o fully_connected.o float_math.o
RUNEVM_OBJECTS += $(addprefix $(RUNEVM_BUILD)/tflm/own/,$(RUNEVM_TFLM_OWN) operators.o)
RUNEVM_OBJECTS += $(addprefix $(RUNEVM_BUILD)/tflm/,$(addsuffix .o,$(RUNEVM_TFLM_SOURCES)))
RUNEVM_TFLM_FLAGS = $(RUNEVM_FLAGS) -DNDEBUG -DTF_LITE_STATIC_MEMORY -DTF_LITE_MCU_DEBUG_LOG -DARDUINOSTL_M_H \
	$(addprefix -isystem $(RUNEVM_TFLM_DIR)/,. $(addprefix tensorflow/lite/micro/tools/make/downloads/,\
	flatbuffers/include gemmlowp ruy))
RUNEVM_TFLM_CXX = -std=c++11 -fno-exceptions -fno-rtti -fno-threadsafe-statics
RUNEVM_TFLM_HEADERS := $(wildcard $(RUNEVM_MODELS)/*.h $(RUNEVM_DIR)/include/*.h)

$(RUNEVM_BUILD)/tflm/own/%.o: $(RUNEVM_MODELS)/%.cc $(RUNEVM_TFLM_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(RUNEVM_TFLM_CXX) $(RUNEVM_WARNINGS) $(RUNEVM_TFLM_FLAGS) $(RUNEVM_CPPFLAGS) -c $< -o $@

$(RUNEVM_BUILD)/tflm/own/operators.o: $(RUNEVM_TFLM_OPERATORS) $(RUNEVM_TFLM_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(RUNEVM_TFLM_CXX) $(RUNEVM_WARNINGS) $(RUNEVM_TFLM_FLAGS) $(RUNEVM_CPPFLAGS) -c $< -o $@

# -fno-builtin: or the compiler would see expf() and assume the C library's.
$(RUNEVM_BUILD)/tflm/own/%.o: $(RUNEVM_MODELS)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=gnu11 -fno-builtin $(RUNEVM_WARNINGS) $(RUNEVM_FLAGS) -c $< -o $@

$(RUNEVM_BUILD)/tflm/%.cc.o: $(RUNEVM_TFLM_DIR)/%.cc
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(RUNEVM_TFLM_CXX) -w $(RUNEVM_TFLM_FLAGS) -c $< -o $@

$(RUNEVM_BUILD)/tflm/%.c.o: $(RUNEVM_TFLM_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=gnu11 -w $(RUNEVM_TFLM_FLAGS) -c $< -o $@
endif

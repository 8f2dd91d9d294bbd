/* SPDX-License-Identifier: Apache-2.0 */
#include "runevm.h"

const char *runevm_error_name(runevm_error error)
{
    switch (error) {
    case RUNEVM_OK: return "OK";
    case RUNEVM_ERR_TRUNCATED: return "TRUNCATED";
    case RUNEVM_ERR_NOT_A_RUNE: return "NOT_A_RUNE";
    case RUNEVM_ERR_MALFORMED: return "MALFORMED";
    case RUNEVM_ERR_DIGEST: return "DIGEST";
    case RUNEVM_ERR_ABI: return "ABI";
    case RUNEVM_ERR_LIMIT: return "LIMIT";
    case RUNEVM_ERR_MEMORY: return "MEMORY";
    case RUNEVM_ERR_ARENA: return "ARENA";
    case RUNEVM_ERR_HEAP: return "HEAP";
    case RUNEVM_ERR_CAPABILITY: return "CAPABILITY";
    case RUNEVM_ERR_OUTPUT_KIND: return "OUTPUT_KIND";
    case RUNEVM_ERR_OPERATOR: return "OPERATOR";
    case RUNEVM_ERR_MODEL: return "MODEL";
    case RUNEVM_ERR_TRAP: return "TRAP";
    case RUNEVM_ERR_OUT_OF_BOUNDS: return "OUT_OF_BOUNDS";
    case RUNEVM_ERR_STACK: return "STACK";
    case RUNEVM_ERR_STAGE: return "STAGE";
    case RUNEVM_ERR_HOST_CALL: return "HOST_CALL";
    case RUNEVM_ERR_INVOKE: return "INVOKE";
    case RUNEVM_ERR_TIME: return "TIME";
    case RUNEVM_ERR_ENGINE: return "ENGINE";
    case RUNEVM_ERR_NO_DATA: return "NO_DATA";
    case RUNEVM_ERR_LINK: return "LINK";
    case RUNEVM_ERR_SENSOR: return "SENSOR";
    }
    return "UNKNOWN";
}

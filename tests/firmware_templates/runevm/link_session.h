/* The device's end of the link for tests, in virtual time.
 *
 * stdin:  'B' byte      the console has this byte
 *         'T' u32       so many milliseconds pass with nothing on the console
 *         'R'           the chip restarts
 *         end           the session ends
 * stdout: 'W' u16 bytes the device writes these
 *         'I'           the device waits and has read everything
 */
#ifndef LINK_SESSION_H
#define LINK_SESSION_H

int link_session(const char *rune_path);

#endif

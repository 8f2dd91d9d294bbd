"""Recordings of phone apps, loggers and data sets; expected numbers by hand."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from runec.diagnostics import Diagnostic, UserFileError, render
from runec.vm import recording
from runec.vm.recording import read_recording
from runec.vm.recording_columns import find_columns
from runec.vm.recording_times import rates_hz

ACTIGRAPH = """\
------------ Data File Created By ActiGraph GT3X+ ActiLife v6.13.3 Firmware v2.5.0 date format \
M/d/yyyy at 50 Hz  Filter Normal -----------
Serial Number: NEO1B00000000
Start Time 16:00:00
Start Date 10/26/2012
Epoch Period (hh:mm:ss) 00:00:00
Download Time 15:03:22
Download Date 10/30/2012
Current Memory Address: 0
Current Battery Voltage: 4.22     Mode = 12
--------------------------------------------------
"""
GENEACTIV = """\
Device Type,GENEActiv
Device Model,1.1
Device Unique Serial Code,012345
Device Firmware Version,Ver2.02
Calibration Date,2011-03-08 14:10:26:000

Measurement Frequency,50.0 Hz
Start Time,2012-05-23 16:47:50:000
Time Zone,GMT +01:00

"""
ANDROSENSOR = (
    "ACCELEROMETER X (m/s2);ACCELEROMETER Y (m/s2);ACCELEROMETER Z (m/s2);GRAVITY X (m/s2);"
    "GRAVITY Y (m/s2);GRAVITY Z (m/s2);LINEAR ACCELERATION X (m/s2);LINEAR ACCELERATION Y (m/s2);"
    "LINEAR ACCELERATION Z (m/s2);GYROSCOPE X (rad/s);GYROSCOPE Y (rad/s);GYROSCOPE Z (rad/s);"
    "MAGNETIC FIELD X (uT);MAGNETIC FIELD Y (uT);MAGNETIC FIELD Z (uT);ORIENTATION Z (azimuth);"
    "ORIENTATION X (pitch);ORIENTATION Y (roll);SOUND LEVEL (dB);Time since start in ms ;"
    "YYYY-MO-DD HH-MI-SS_SSS\n"
    "1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;0;2015-11-14 20-20-11_075\n"
    "4;5;6;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20;2015-11-14 20-20-11_095\n"
)
LINEAR = '"Linear Acceleration x (m/s^2)","Linear Acceleration y (m/s^2)"'
SENSORLOG = (
    "loggingTime(txt),accelerometerTimestamp_sinceReboot(s),accelerometerAccelerationX(G),"
    "accelerometerAccelerationY(G),accelerometerAccelerationZ(G),motionUserAccelerationX(G),"
    "motionUserAccelerationY(G),motionUserAccelerationZ(G),motionRotationRateX(rad/s),"
    "motionRotationRateY(rad/s),motionRotationRateZ(rad/s),"
    "magnetometerX(\u00b5T),magnetometerY(\u00b5T),"
    "magnetometerZ(\u00b5T),locationFloor(Z)\n"
    "2020-01-01 10:00:00.980 +0100,0,1,2,3,7,7,7,8,8,8,9,9,9,0\n"
    "2020-01-01 10:00:01.000 +0100,0,4,5,6,7,7,7,8,8,8,9,9,9,0\n"
)
SHIMMER = (
    '"sep=\t"\n'
    "Shimmer_AB12_Timestamp_Unix_CAL\tShimmer_AB12_Accel_LN_X_CAL\tShimmer_AB12_Accel_LN_Y_CAL\t"
    "Shimmer_AB12_Accel_LN_Z_CAL\tShimmer_AB12_Gyro_X_CAL\tShimmer_AB12_Gyro_Y_CAL\t"
    "Shimmer_AB12_Gyro_Z_CAL\tShimmer_AB12_Mag_X_CAL\tShimmer_AB12_Mag_Y_CAL\t"
    "Shimmer_AB12_Mag_Z_CAL\t\n"
    "ms\tm/(s^2)\tm/(s^2)\tm/(s^2)\tdeg/s\tdeg/s\tdeg/s\tlocal_flux\tlocal_flux\tlocal_flux\t\n"
    "1600000000000.0\t1\t2\t3\t7\t7\t7\t8\t8\t8\t\n"
    "1600000000020.0\t4\t5\t6\t7\t7\t7\t8\t8\t8\t\n"
)
E4 = "1574621345.000000, 1574621345.000000, 1574621345.000000\n"
IN_G = "R1118: the columns of x, y and z are in g,"
IN_MG = "R1118: the columns of x, y and z are in mg,"
NO_GRAVITY = "named as acceleration without gravity"

# Each has the samples 1, 2, 3 and 4, 5, 6, mostly at 50 Hz; what is warned of.
FILES: dict[str, tuple[str, list[str]]] = {
    "androsensor": (ANDROSENSOR, []),
    "androsensor, as Excel reads it": ("sep=;\n" + ANDROSENSOR, []),
    "phyphox": (
        (
            '"Time (s)","Acceleration x (m/s^2)","Acceleration y (m/s^2)","Acceleration z (m/s^2)",'
            '"Absolute acceleration (m/s^2)"\n0.000000000E0,1.0E0,2.0E0,3.0E0,3.7E0\n'
            "2.000000000E-2,4.0E0,5.0E0,6.0E0,8.8E0\n"
        ),
        [],
    ),
    "phyphox, decimal commas": (
        (
            '"Time (s)";"Acceleration x (m/s^2)";"Acceleration y (m/s^2)";'
            '"Acceleration z (m/s^2)"\n'
            "0,000000000E0;1,0E0;2,0E0;3,0E0\n2,000000000E-2;4,0E0;5,0E0;6,0E0\n"
        ),
        [],
    ),
    "phyphox, tabs": (
        (
            '"Time (s)"\t"Acceleration x (m/s^2)"\t"Acceleration y (m/s^2)"\t'
            '"Acceleration z (m/s^2)"\n'
            "0,00E0\t1,0E0\t2,0E0\t3,0E0\n2,00E-2\t4,0E0\t5,0E0\t6,0E0\n"
        ),
        [],
    ),
    "phyphox without gravity": (
        f'"Time (s)",{LINEAR},"Linear Acceleration z (m/s^2)"\n0,1,2,3\n0.02,4,5,6\n',
        [f"R1114: the columns 'Linear Acceleration x (m/s^2)', .*{NO_GRAVITY}"],
    ),
    "phyphox without gravity, German": (
        (
            '"Zeit (s)";"Lineare Beschleunigung x (m/s^2)";"Lineare Beschleunigung y (m/s^2)";'
            '"Lineare Beschleunigung z (m/s^2)"\n0,00;1,0;2,0;3,0\n0,02;4,0;5,0;6,0\n'
        ),
        [f"R1114.*{NO_GRAVITY}"],
    ),
    "physics toolbox": ("time,gFx,gFy,gFz,TgF\n0,1,2,3,3.7\n0.02,4,5,6,8.8\n", [IN_G]),
    "physics toolbox, semicolons": (
        "time;gFx;gFy;gFz;TgF;\n0,00;1,0;2,0;3,0;3,7\n0,02;4,0;5,0;6,0;8,8\n",
        [IN_G],
    ),
    "physics toolbox, all sensors": (
        (
            "time,ax,ay,az,gFx,gFy,gFz,wx,wy,wz,p,Bx,By,Bz\n"
            "0,7,7,7,1,2,3,8,8,8,1013,9,9,9\n0.02,7,7,7,4,5,6,8,8,8,1013,9,9,9\n"
        ),
        [IN_G],
    ),
    "physics toolbox without gravity": (
        "time,ax,ay,az,aT\n13:05:10:100,1,2,3,3.7\n13:05:10:120,4,5,6,8.8\n",
        [f"R1114: the columns 'ax', 'ay', 'az' are {NO_GRAVITY}"],
    ),
    "sensor logger": (
        (
            "time,seconds_elapsed,z,y,x\n1718030736872695300,0.07,3,2,"
            "1\n1718030736892695300,0.09,6,5,4\n"
        ),
        ["R0747.*x from column 5, y from column 4, z from column 3"],
    ),
    "sensor logger, orientation": (
        (
            "time,seconds_elapsed,qz,qy,qx,qw,roll,pitch,yaw\n0,0.00,3,2,1,0,0,0,"
            "0\n20000000,0.02,6,5,4,0,0,0,0\n"
        ),
        ["R0747", "R1118: the columns 'qx', 'qy', 'qz' are named as another quantity"],
    ),
    "sensor logger, watch": (
        (
            "time,seconds_elapsed,rotationRateX,rotationRateY,rotationRateZ,"
            "gravityX,gravityY,gravityZ,"
            "accelerationX,accelerationY,accelerationZ,quaternionW,quaternionX,"
            "quaternionY,quaternionZ\n"
            "0,0.00,7,7,7,8,8,8,1,2,3,9,9,9,9\n20000000,0.02,7,7,7,8,8,8,4,5,6,9,9,9,9\n"
        ),
        [f"R1114: the columns 'accelerationX', .*{NO_GRAVITY}"],
    ),
    "sensorlog": (SENSORLOG, [IN_G]),
    "motionsense": (
        (
            ",gravity.x,gravity.y,gravity.z,rotationRate.x,rotationRate.y,rotationRate.z,"
            "userAcceleration.x,userAcceleration.y,userAcceleration.z\n"
            "0,7,7,7,8,8,8,1,2,3\n1,7,7,7,8,8,8,4,5,6\n"
        ),
        [f"R1114: the columns 'userAcceleration.x', .*{NO_GRAVITY}"],
    ),
    "a browser": (
        (
            "t,acceleration_x,acceleration_y,acceleration_z,accelerationIncludingGravity_x,"
            "accelerationIncludingGravity_y,accelerationIncludingGravity_z\n"
            "0,7,7,7,1,2,3\n20,7,7,7,4,5,6\n"
        ),
        [],
    ),
    "gravity alone": (
        "time,gravity_x,gravity_y,gravity_z\n0,1,2,3\n20,4,5,6\n",
        ["R1114: the columns 'gravity_x', .*named as gravity alone"],
    ),
    "edge impulse": ("timestamp,accX,accY,accZ\n0,1,2,3\n20,4,5,6\n", []),
    "matlab mobile": (
        "Timestamp,X,Y,Z\n24-Oct-2020 10:11:12.990,1,2,3\n24-Oct-2020 10:11:13.010,4,5,6\n",
        [],
    ),
    "arduino, commas": ("x:1.0,y:2.0,z:3.0\nx:4.0,y:5.0,z:6.0\n", []),
    "arduino, tabs": ("x:1\ty:2\tz:3\nx:4\ty:5\tz:6\n", []),
    "arduino, spaces": ("started\nx:1 y:2 z:3\nx:4 y:5 z:6\n", []),
    "arduino, another order": (
        "Acc Z: 3.0, Acc Y: 2.0, Acc X: 1.0\nAcc Z: 6.0, Acc Y: 5.0, Acc X: 4.0\n",
        ["R0747.*x from column 3, y from column 2, z from column 1"],
    ),
    "arduino, decimal commas": ("t=0;x=1,0;y=2,0;z=3,0\nt=20;x=4,0;y=5,0;z=6,0\n", []),
    "axivity": (
        (
            "Time,Accel-X (g), Accel-Y (g), Accel-Z (g), Gyro-X (d/s), Gyro-Y (d/s), Gyro-Z (d/s)\n"
            "2014-05-07 16:29:30.000,1,2,3,7,7,7\n2014-05-07 16:29:30.020,4,5,6,7,7,7\n"
        ),
        [IN_G],
    ),
    "actigraph": (
        f"{ACTIGRAPH}Accelerometer X,Accelerometer Y,Accelerometer Z\n1,2,3\n4,5,6\n",
        ["R1118: the samples of an ActiGraph are in g,"],
    ),
    "actigraph without names": (
        f"{ACTIGRAPH}1,2,3\n4,5,6\n",
        ["R1118: the samples of an ActiGraph are in g,"],
    ),
    "actigraph at another rate": (
        ACTIGRAPH.replace("50 Hz", "30 Hz") + "1,2,3\n4,5,6\n",
        ["R1118", "R0746: r.csv has 30 samples a second by the rate stated above its samples"],
    ),
    "actigraph with times": (
        (
            f"{ACTIGRAPH}Timestamp,Accelerometer X,Accelerometer Y,Accelerometer Z\n"
            "10/26/2012 16:00:00.000,1,2,3\n10/26/2012 16:00:00.100,4,5,6\n"
        ),
        ["R1118", "R0746: r.csv has 10 samples a second by its time column"],
    ),
    "geneactiv": (
        (
            f"{GENEACTIV}2012-05-23 16:47:50:000,1,2,3,3,0,26.1\n"
            "2012-05-23 16:47:50:020,4,5,6,3,0,26\n"
        ),
        ["R1118: the samples of a GENEActiv are in g,"],
    ),
    "geneactiv, tabs": (
        (
            f"{GENEACTIV}2012-05-23 16:47:50:000,1,2,3,3,0,26.1\n"
            "2012-05-23 16:47:50:020,4,5,6,3,0,26\n"
        ).replace(",", "\t"),
        ["R1118: the samples of a GENEActiv are in g,"],
    ),
    "geneactiv with names": (
        (
            f"{GENEACTIV}timestamp,x,y,z,light,button,temperature\n"
            "2012-05-23 16:47:50:000,1,2,3,3,0,26.1\n2012-05-23 16:47:50:020,4,5,6,3,0,26\n"
        ),
        ["R1118: the samples of a GENEActiv are in g,"],
    ),
    "empatica e4": (
        E4 + "50.000000, 50.000000, 50.000000\n1,2,3\n4,5,6\n",
        ["R1118: the samples of an Empatica E4 are in 1/64 g,"],
    ),
    "empatica e4 at its rate": (
        E4 + "32.000000, 32.000000, 32.000000\n1,2,3\n4,5,6\n",
        ["R1118", "R0746: r.csv has 32 samples a second by its second row of numbers"],
    ),
    "mbientlab": (
        (
            "epoch (ms),time (-13:00),elapsed (s),x-axis (g),y-axis (g),z-axis (g)\n"
            "1580000000000,2020-01-26T10:11:12.345,0.000,1,2,3\n"
            "1580000000020,2020-01-26T10:11:12.365,0.020,4,5,6\n"
        ),
        [IN_G],
    ),
    "mbientlab, filtered": (
        (
            "x-axis (g),x-axis filtered (g),y-axis (g),y-axis filtered (g),z-axis (g),"
            "z-axis filtered (g)\n1,7,2,7,3,7\n4,7,5,7,6,7\n"
        ),
        [IN_G],
    ),
    "mbientlab, two sensors told apart by units": (
        (
            "timestamp,x-axis (deg/s),y-axis (deg/s),z-axis (deg/s),x-axis (g),"
            "y-axis (g),z-axis (g)\n"
            "0,7,7,7,1,2,3\n20,7,7,7,4,5,6\n"
        ),
        [IN_G],
    ),
    "mbientlab, gyroscope": (
        "epoch (ms),x-axis (deg/s),y-axis (deg/s),z-axis (deg/s)\n0,1,2,3\n20,4,5,6\n",
        ["R1118: the columns of x, y and z are in deg/s,"],
    ),
    "mbientlab, magnetometer": (
        "epoch (ms),x-axis (T),y-axis (T),z-axis (T)\n0,1,2,3\n20,4,5,6\n",
        ["R1118: the columns of x, y and z are in tesla,"],
    ),
    "functions of time": ("t,ax(t),ay(t),az(t)\n0,1,2,3\n0.02,4,5,6\n", []),
    "movesense": ("timestamp,x,y,z\n100,1,2,3\n120,4,5,6\n", []),
    "shimmer": (SHIMMER, []),
    "shimmer, raw": (
        (
            "Timestamp_RAW\tAccel_LN_X_RAW\tAccel_LN_Y_RAW\tAccel_LN_Z_RAW\n"
            "no units\tno units\tno units\tno units\n0\t1\t2\t3\n655\t4\t5\t6\n"
        ),
        ["R1118: the columns of x, y and z are in counts of the sensor,", "R0746"],
    ),
    "steval": (
        (
            "STEVAL-MKI197V1 (LSM6DSOX)\n\nA_X [mg] \t A_Y [mg] \t A_Z [mg] \tG_X "
            "[dps] \t G_Y [dps] \t "
            "G_Z [dps] \n1\t2\t3\t7\t7\t7\n4\t5\t6\t7\t7\t7\n"
        ),
        [IN_MG],
    ),
    "st datalog": (
        (
            "Time [mS], AccX [mg], AccY [mg], AccZ [mg], GyroX [mdps], GyroY [mdps], GyroZ [mdps],"
            "MagX [mgauss],MagY [mgauss],MagZ [mgauss],P [mB],T ['C]\n"
            "0,1,2,3,7,7,7,8,8,8,1013,25\n20,4,5,6,7,7,7,8,8,8,1013,25\n"
        ),
        [IN_MG],
    ),
    "polar": (
        (
            "Phone timestamp;sensor timestamp [ns];X [mg];Y [mg];Z [mg] \n"
            "2026-06-10T21:15:41.382;599628005694359040;1;2;3\n"
            "2026-06-10T21:15:41.402;599628005714359040;4;5;6\n"
        ),
        [IN_MG],
    ),
    "witmotion": (
        (
            "时间(s),加速度X(g),加速度Y(g),加速度Z(g),角速度X(\u00b0/s),"
            "角速度Y(\u00b0/s),角速度Z(\u00b0/s)\n0,1,2,3,7,7,7\n0.02,4,5,6,7,7,7\n"
        ),
        [IN_G],
    ),
    "xsens": (
        (
            "PacketCounter,SampleTimeFine,Acc_X,Acc_Y,Acc_Z,FreeAcc_X,FreeAcc_Y,"
            "FreeAcc_Z,Gyr_X,Gyr_Y,"
            "Gyr_Z\n27626,,1,2,3,7,7,7,8,8,8\n27627,,4,5,6,7,7,7,8,8,8\n"
        ),
        [],
    ),
    "wisdm with names": (
        (
            "user,activity,timestamp,x,y,z\n33,Jogging,49105962326000,1,2,3;\n"
            "33,Jogging,49105982326000,4,5,6;\n"
        ),
        [],
    ),
    "one sensor of a column": (
        "timestamp,sensor,x,y,z\n0,accelerometer,1,2,3\n20,accelerometer,4,5,6\n",
        [],
    ),
    "another sensor of a column": (
        "timestamp,sensor,x,y,z\n0,Gyroscope,1,2,3\n20,Gyroscope,4,5,6\n",
        ["R1118: the sensor 'Gyroscope' is named as another quantity"],
    ),
    "numpy": ("# z,y,x\n3.0,2.0,1.0\n6.0,5.0,4.0\n", ["R0747.*x from column 3"]),
    "numpy, spaces": ("# t z y x\n0 3 2 1\n20 6 5 4\n", ["R0747"]),
    "numpy with a time": ("# timestamp,x (g),y (g),z (g)\n0,1,2,3\n20,4,5,6\n", [IN_G]),
    "a logger with a serial number": (
        (
            "Logger;3000\nSerial;12345\nStart;2020-01-01\ntime (ms);x;y;z\nms;g;g;g\n0;1;2;3\n"
            "20;4;5;6\n"
        ),
        [IN_G],
    ),
    "m/s2 as words": ("acc_x_mps2,acc_y_mps2,acc_z_mps2,gyr_x_deg\n1,2,3,7\n4,5,6,7\n", []),
    "axes in brackets": (
        "acc[x],acc[y],acc[z],gyro[x],gyro[y],gyro[z]\n1,2,3,7,7,7\n4,5,6,7,7,7\n",
        [],
    ),
    "one unit for all": ("x (g),y,z\n1,2,3\n4,5,6\n", [IN_G]),
    "g-force": ("G-Force X,G-Force Y,G-Force Z\n1,2,3\n4,5,6\n", [IN_G]),
    "x in g": ("xg,yg,zg\n1,2,3\n4,5,6\n", [IN_G]),
    "x in g, in brackets": ("X [g],Y [g],Z [g]\n1,2,3\n4,5,6\n", [IN_G]),
    "gx in g": ("gx (g),gy (g),gz (g)\n1,2,3\n4,5,6\n", [IN_G]),
    "gravity beside acceleration": (
        "gx (m/s2),gy (m/s2),gz (m/s2),accX,accY,accZ\n7,7,7,1,2,3\n7,7,7,4,5,6\n",
        [],
    ),
    "gx in m/s2": ("gx,gy,gz\nm/s\u00b2,m/s\u00b2,m/s\u00b2\n1,2,3\n4,5,6\n", []),
    "a gyroscope": (
        "gx,gy,gz\n1,2,3\n4,5,6\n",
        ["R1118: the columns 'gx', 'gy', 'gz' are named as another quantity"],
    ),
    "a gyroscope beside acceleration": ("gx,gy,gz,ax,ay,az\n7,7,7,1,2,3\n7,7,7,4,5,6\n", []),
    "a gyroscope beside acceleration, axis first": (
        "xg,yg,zg,xa,ya,za\n7,7,7,1,2,3\n7,7,7,4,5,6\n",
        [],
    ),
    "a temperature before the time": (
        "T [\u00b0C],t [ms],x,y,z\n25,0,1,2,3\n25,20,4,5,6\n",
        [],
    ),
    "a date beside the time": (
        "Date,Time,x,y,z\n2020-01-01,10:00:00.000,1,2,3\n2020-01-01,10:00:00.020,4,5,6\n",
        [],
    ),
    "a stated rate": (
        "# Config: data_rate = 100.0 Hz, filter = 488 Hz\n1,2,3\n4,5,6\n",
        ["R0746.*100"],
    ),
}


def _read(path: Path, text: str) -> tuple[bytes, list[Diagnostic]]:
    path.write_text(text)
    warned: list[Diagnostic] = []
    return read_recording(path, 50, warned.append), warned


@pytest.mark.parametrize("what", FILES)
def test_files_of_many_loggers_give_their_acceleration(tmp_path: Path, what: str) -> None:
    text, expected = FILES[what]
    data, warned = _read(tmp_path / "r.csv", text)
    assert data == struct.pack("<6f", 1, 2, 3, 4, 5, 6)
    shown = [f"{each.code}: {each.message.replace(f'{tmp_path}/', '')}" for each in warned]
    assert len(shown) == len(expected), shown
    for message, pattern in zip(shown, expected, strict=True):
        code, _, rest = pattern.partition(": ")
        for part in (code, *rest.split(".*")) if rest else pattern.split(".*"):
            assert part in message


SENSOR_LOGGER = "time,seconds_elapsed,z,y,x\n0,0.00,3,2,1\n20000000,0.02,6,5,4\n"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Gyroscope.csv", SENSOR_LOGGER, "R1118: this file is named as another quantity"),
        ("Magnetometer.csv", SENSOR_LOGGER, "R1118: this file is named as another quantity"),
        ("Gravity.csv", SENSOR_LOGGER, "R1114: this file is named as gravity alone"),
        (
            "Accelerometer.csv",
            SENSOR_LOGGER,
            "R1114: Accelerometer.csv of Sensor Logger is acceleration without gravity",
        ),
        ("TotalAcceleration.csv", SENSOR_LOGGER, None),
        ("Accelerometer.csv", "time,z,y,x\n0,3,2,1\n20,6,5,4\n", None),
        ("Linear Accelerometer.csv", "1,2,3\n4,5,6\n", f"R1114: this file is {NO_GRAVITY}"),
        ("gyro_1.csv", "1,2,3\n4,5,6\n", "R1118: this file is named as another quantity"),
        ("gyro_1.csv", "accX,accY,accZ\n1,2,3\n4,5,6\n", None),
        ("piano_gesture.csv", "1,2,3\n4,5,6\n", None),
    ],
)
def test_the_name_of_a_file_counts_where_columns_name_no_sensor(
    tmp_path: Path, name: str, text: str, expected: str | None
) -> None:
    data, warned = _read(tmp_path / name, text)
    assert data == struct.pack("<6f", 1, 2, 3, 4, 5, 6)
    shown = [
        f"{each.code}: {each.message.removeprefix(f'{tmp_path / name}: ')}"
        for each in warned
        if each.code != "R0747"
    ]
    assert len(shown) == (expected is not None), shown
    assert (expected or "") in "".join(shown)


def test_a_first_row_of_column_numbers_is_warned_of(tmp_path: Path) -> None:
    data, warned = _read(tmp_path / "r.csv", "0,1,2\n0.1,0.2,9.8\n")
    assert data == struct.pack("<6f", 0, 1, 2, 0.1, 0.2, 9.8)
    assert [each.code for each in warned] == ["R1115"]
    assert "0, 1, 2 is read as a sample" in render(warned[0])
    assert _read(tmp_path / "r.csv", "0,1,2\n3,4,5\n")[1] == []


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ([(20 * i, i % 3, i % 5) for i in range(64)], 1),
        ([(i % 3, i % 5, 0.02 * i) for i in range(64)], 3),
        ([(20 * i, i % 3, i % 5) for i in range(63)], None),
        ([(i, i, i) for i in range(64)], None),
        ([(i % 7, i % 3, i % 5) for i in range(64)], None),
    ],
)
def test_a_column_without_a_name_that_only_goes_up_is_warned_of(
    tmp_path: Path, rows: list[tuple[float, ...]], column: int | None
) -> None:
    text = "".join(f"{x},{y},{z}\n" for x, y, z in rows)
    _, warned = _read(tmp_path / "r.csv", text)
    assert [each.code for each in warned] == ([] if column is None else ["R1115"])
    if column is not None:
        assert f"column {column} of the three goes up in each row" in warned[0].message
    assert _read(tmp_path / "r.csv", f"x,y,z\n{text}")[1] == []


REFUSED = {
    "two accelerometers": (
        (
            "Accel_LN_X_CAL\tAccel_LN_Y_CAL\tAccel_LN_Z_CAL\tAccel_WR_X_CAL\tAccel_WR_Y_CAL\t"
            "Accel_WR_Z_CAL\n1\t2\t3\t4\t5\t6\n"
        ),
        (
            "1:1: x, y and z may be 2 groups of columns: 'Accel_LN_X_CAL', 'Accel_LN_Y_CAL', "
            "'Accel_LN_Z_CAL' (columns 1, 2, 3); 'Accel_WR_X_CAL', "
            "'Accel_WR_Y_CAL', 'Accel_WR_Z_CAL' "
            "(columns 4, 5, 6)"
        ),
        "keep one group: remove the columns of the others, or rename them",
    ),
    "names twice": (
        "x,y,z,x,y,z\n1,2,3,4,5,6\n",
        (
            "1:1: x, y and z may be 2 groups of columns: 'x', 'y', 'z' (columns 1, "
            "2, 3); 'x', 'y', "
            "'z' (columns 4, 5, 6)"
        ),
        "keep one group",
    ),
    "five accelerometers": (
        ",".join(f"{axis}{at}" for at in range(5) for axis in "xyz") + "\n" + "1," * 15,
        (
            "1:1: x, y and z may be 5 groups of columns: 'x0', 'y0', 'z0' (columns 1, 2, 3); 'x1', "
            "'y1', 'z1' (columns 4, 5, 6); 'x2', 'y2', 'z2' (columns 7, 8, 9); 'x3', 'y3', 'z3' "
            "(columns 10, 11, 12); ..."
        ),
        "keep one group",
    ),
    "no accelerometer": (
        "gyro_x,gyro_y,gyro_z,mag_x,mag_y,mag_z\n1,2,3,4,5,6\n",
        (
            "1:1: none of 2 groups of columns is named as acceleration: 'gyro_x', "
            "'gyro_y', 'gyro_z' "
            "(columns 1, 2, 3); 'mag_x', 'mag_y', 'mag_z' (columns 4, 5, 6)"
        ),
        "keep one group",
    ),
    "angles": (
        "time,roll,pitch,yaw\n0,1,2,3\n",
        "1:1: x, y and z cannot be identified in these 4 columns: 'time', 'roll', 'pitch', 'yaw'",
        "rename the columns of the acceleration to x, y and z",
    ),
    "two sensors in turn": (
        "timestamp,sensor,x,y,z\n0,accelerometer,1,2,3\n1,gyroscope,1,2,3\n",
        "3:3: this row is of the sensor 'gyroscope', the first one of 'accelerometer'",
        "keep the rows of one sensor only",
    ),
    "actigraph, counts": (
        ACTIGRAPH.replace("00:00:00", "00:01:00") + "Axis1,Axis2,Axis3\n1,2,3\n",
        "1:1: this file of an ActiGraph has counts of epochs, not samples",
        "export the raw samples",
    ),
    "actigraph, counts, in comments": (
        "".join(f"# {line}\n" for line in ACTIGRAPH.replace("00:00:00", "00:01:00").splitlines())
        + "1,2,3\n",
        "1:1: this file of an ActiGraph has counts of epochs, not samples",
        "export the raw samples",
    ),
    "wisdm": (
        "33,Jogging,49105962326000,-0.69,12.68,0.50;\n",
        "1:1: this row has 6 fields instead of 3",
        "name the columns in the first row",
    ),
    "uci har": (
        "  1.0128170e+000" * 128 + "\n",
        "1:1: this row has 128 numbers instead of 3",
        "a row here seems to be one axis over time",
    ),
    "axivity without names": (
        "2014-05-07 16:29:30.000,1,2,3\n",
        "1:1: this row has 4 numbers instead of 3",
        "name the columns in the first row",
    ),
    "a serial number": (
        "Logger\nSerial,12345\n1,2,3\n",
        "2:1: this row has 2 fields instead of 3",
        "remove the rows above the samples",
    ),
    "json": (
        '{"x":0.1,"y":1,"z":2}\n{"x":0.1,"y":1,"z":2}\n',
        "2:1: no row of this file has numbers only",
        "write three numbers per row",
    ),
    "arduino, a row cut": (
        "x:1,y:2,z:3\nx:4,y\n",
        "2:1: the names in this row differ from the first row: 'x', 'y', 'z'",
        "write the same names in each row",
    ),
    "arduino, another order in a row": (
        "x:1 y:2 z:3\nx:4 z:5 y:6\n",
        "2:1: the names in this row differ from the first row: 'x', 'y', 'z'",
        "write the same names in each row",
    ),
    "arduino, no number": (
        "x:1 y:2 z:3\nx:4 y:nan z:6\n",
        "2:1: the names in this row differ from the first row: 'x', 'y', 'z'",
        "write the same names in each row",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_files_that_leave_x_y_and_z_open_are_refused(tmp_path: Path, what: str) -> None:
    text, message, hint = REFUSED[what]
    path = tmp_path / "r.csv"
    path.write_text(text)
    warned: list[Diagnostic] = []
    with pytest.raises(UserFileError) as caught:
        read_recording(path, 50, warned.append)
    place, _, expected = message.partition(": ")
    assert caught.value.code == "R0703"
    assert caught.value.message == expected
    assert hint in str(caught.value.hint)
    assert f"r.csv:{place}" in render(caught.value.diagnostics[0])


@pytest.mark.parametrize(
    ("texts", "rate"),
    [
        (["16:00:00.00", "16:00:00.02"], 50),
        (["16:00:00:000", "16:00:00:020"], 50),
        (["23:59:59.98", "0:00:00.00", "0:00:00.02"], 50),
        (["1/2/2020 11:59:59.98 PM", "2/2/2020 12:00:00.00 AM", "2/2/2020 12:00:00.02 AM"], 50),
        ([f"2020-01-01 10:00:{at // 50:02}" for at in range(20, 140)], 50),
        ([f"2020-01-01 10:00:{at // 50:02}" for at in range(20, 100)], None),
        (["10:00:00"] * 9, None),
        (["soon", "later"], None),
    ],
)
def test_clocks_give_a_rate(texts: list[str], rate: float | None) -> None:
    assert rates_hz(texts, None) == ([] if rate is None else pytest.approx([rate]))


def test_numbers_that_pass_in_packets_give_a_rate() -> None:
    # Ten samples in a packet every 200 ms.
    times = [str(200 * (at // 10)) for at in range(100)]
    assert rates_hz(times, 1e-3) == pytest.approx([50])


@pytest.mark.parametrize(
    ("header", "step", "place"),
    [
        ("time", 0.1, "its time column, read as seconds"),
        ("time", 100, "its time column, read as milliseconds"),
        ("time", 100_000, "its time column, read as microseconds"),
        ("time", 100_000_000, "its time column, read as nanoseconds"),
        ("time (ms)", 100, "its time column,"),
    ],
)
def test_the_unit_that_a_time_is_read_in_is_said(
    tmp_path: Path, header: str, step: float, place: str
) -> None:
    path = tmp_path / "r.csv"
    rows = [f"{at * step:.9g},{at},0,1" for at in range(20)]
    path.write_text("\n".join([f"{header},x,y,z", *rows]) + "\n")
    said: list[Diagnostic] = []
    read_recording(path, 50, said.append)
    (warning,) = [each for each in said if each.code == "R0746"]
    assert f"has 10 samples a second by {place}" in warning.message + ","
    assert ("read as" in warning.message) == (header == "time")


def test_names_are_looked_for_in_the_nearest_rows_of_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of words before the first number takes no longer than one of samples."""
    looked_at: list[object] = []
    find = find_columns

    def counted(names: Sequence[str]) -> object:
        looked_at.append(names)
        return find(names)

    monkeypatch.setattr(recording, "find_columns", counted)
    path = tmp_path / "r.csv"
    path.write_text("a word or two\n" * 20_000 + "z,y,x\n1,2,3\n")
    assert struct.unpack("<3f", read_recording(path, 50, lambda _: None)) == (3, 2, 1)
    assert len(looked_at) < 5000

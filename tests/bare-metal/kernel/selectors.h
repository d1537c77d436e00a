/* Selectors of the GDT in start.S, for C and assembly. */
#define CODE64 0x08
#define DATA 0x10
#define CODE32 0x18
#define USER_CODE32 0x23
#define USER_DATA 0x2b
#define USER_CODE64 0x33
#define TASK 0x38
#define CALL_GATE 0x48
#define CODE16 0x58
#define DATA16 0x60
#define SMALL 0x68
#define TASK_A 0x70
#define TASK_B 0x78
#define ABSENT_DATA 0x80
#define DOWN 0x88
#define SYSTEM_CALL 0x80

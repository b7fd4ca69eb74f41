"""Arrays in, arrays out. Every function takes many series at once; one series is a panel of one."""

import process from 'node:process'

process.stderr.write('longmode: the machine is not built in this checkout yet.\n')
process.exitCode = 1

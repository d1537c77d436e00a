/** `npm start`: with flags it is the terminal machine, without it is the default guest. */
import './main.ts'

// Integer extensions: POPCNT, LZCNT, BMI, ADX, MOVBE.
import type { Family, RowOptions } from '../form.ts'
import { prepareZeroSource } from './hooks.ts'

const COUNT: RowOptions = { undef: 'ospa', prepare: prepareZeroSource }

export const extensions: readonly Family[] = [
  { name: 'popcnt', feature: 'popcnt', rows: [['popcnt Gv,Ev', 'f3 0f b8', { prepare: prepareZeroSource }]] },
  { name: 'lzcnt', feature: 'abm', rows: [['lzcnt Gv,Ev', 'f3 0f bd', COUNT]] },
  {
    name: 'bmi1',
    feature: 'bmi1',
    rows: [
      ['tzcnt Gv,Ev', 'f3 0f bc', COUNT],
      ['andn Gy,By,Ey', 'vex.np.0f38 f2', { undef: 'ap' }],
      ['bextr Gy,Ey,By', 'vex.np.0f38 f7', { undef: 'asp' }],
      ['blsr By,Ey', 'vex.np.0f38 f3 /1', { undef: 'ap' }],
      ['blsmsk By,Ey', 'vex.np.0f38 f3 /2', { undef: 'ap' }],
      ['blsi By,Ey', 'vex.np.0f38 f3 /3', { undef: 'ap' }],
    ],
  },
  {
    name: 'bmi2',
    feature: 'bmi2',
    rows: [
      ['bzhi Gy,Ey,By', 'vex.np.0f38 f5', { undef: 'ap' }],
      ['pext Gy,By,Ey', 'vex.f3.0f38 f5'],
      ['pdep Gy,By,Ey', 'vex.f2.0f38 f5'],
      ['mulx Gy,By,Ey', 'vex.f2.0f38 f6'],
      ['shlx Gy,Ey,By', 'vex.66.0f38 f7'],
      ['sarx Gy,Ey,By', 'vex.f3.0f38 f7'],
      ['shrx Gy,Ey,By', 'vex.f2.0f38 f7'],
      ['rorx Gy,Ey,Ib', 'vex.f2.0f3a f0'],
    ],
  },
  {
    name: 'adx',
    feature: 'adx',
    rows: [
      ['adcx Gy,Ey', '66 0f 38 f6'],
      ['adox Gy,Ey', 'f3 0f 38 f6'],
    ],
  },
  {
    name: 'movbe',
    feature: 'movbe',
    rows: [
      ['movbe Gv,Mv', '0f 38 f0'],
      ['movbe Mv,Gv', '0f 38 f1'],
    ],
  },
  { name: 'fsgsbase', feature: 'fsgsbase', rows: [['rdgsbase Ry', 'f3 0f ae /1', { modes: 'long64' }]] },
]

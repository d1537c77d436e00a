import { compilerWrappers, KernelTreeError, type MakeOptions } from '../../contract/kernel-tree.ts'
import { has, numberOf, valueOf, type Option, type Words } from './words.ts'

export const buildOptions: readonly Option[] = [
  { name: 'jobs', value: 'N', help: 'compile N files at once; as many as there are processors when left out' },
  { name: 'llvm', help: 'build with clang (LLVM=1)' },
  { name: 'compiler-wrapper', value: 'NAME', help: 'ccache, distcc or icecc in front of the compiler' },
]

export function makeOptionsOf(words: Words): MakeOptions {
  const jobs = numberOf(words, 'jobs')
  const name = valueOf(words, 'compiler-wrapper')
  const wrapper = compilerWrappers.find((each) => each === name)
  if (name !== undefined && wrapper === undefined) {
    throw new KernelTreeError(`--compiler-wrapper ${name}: it is one of ${compilerWrappers.join(', ')}`)
  }
  return {
    ...(jobs === undefined ? {} : { jobs }),
    ...(has(words, 'llvm') ? { llvm: true } : {}),
    ...(wrapper === undefined ? {} : { compilerWrapper: wrapper }),
  }
}

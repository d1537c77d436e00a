import { describe, expect, it } from 'vitest'
import { splitCommand, splitWords } from './split.ts'

describe('splitting a pasted line', () => {
  it.each([
    ['a  b\tc', ['a', 'b', 'c']],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`a'b'"c"d`, ['abcd']],
    [`"" ''`, ['', '']],
    ['a\\ b \\"c', ['a b', '"c']],
    [String.raw`"a\"b\\c\n"`, [String.raw`a"b\c\n`]],
    [`'a\\b'`, ['a\\b']],
    ['-m 2G \\\n  -nographic', ['-m', '2G', '-nographic']],
    ['-m 2G \\\r\n  -s', ['-m', '2G', '-s']],
    ['-m 2G\n-s', ['-m', '2G', '-s']],
    ['a # b\nc', ['a', 'c']],
    ['a#b', ['a#b']],
    ['$ 100', ['$', '100']],
    ['x=~/a', ['x=~/a']],
  ])('%j', (text, words) => {
    expect(splitWords(text)).toEqual(words)
  })
  it('expands the variables it was given, and ~', () => {
    const options = { variables: { HOME: '/home/u', K: 'linux 6' } }
    expect(splitWords('~/a ${HOME}/b "$K"/c ~', options)).toEqual(['/home/u/a', '/home/u/b', 'linux 6/c', '/home/u'])
  })
  it.each([
    ['-m $(nproc)', 'a command substitution, $( … )'],
    ['-append "$(cat x)"', 'a command substitution, $( … )'],
    ['-m `nproc`', 'a command substitution'],
    ['-append "`x`"', 'a command substitution'],
    ['a | b', 'a pipe'],
    ['a && b', 'a command that goes on after &'],
    ['a; b', 'a second command after ;'],
    ['a > b', 'a redirection'],
    ['*.img', 'a file pattern'],
    ['$KERNEL', 'the variable $KERNEL, which is not known here'],
    ['${KERNEL:-x}', 'a parameter expansion'],
    [`'abc`, "an opening ' without its closing one"],
    ['"abc', 'an opening " without its closing one'],
  ])('refuses %j in plain words', (text, sentence) => {
    expect(() => splitWords(text)).toThrow(sentence)
  })
})

describe('the command itself', () => {
  it.each([
    'qemu-system-x86_64 -s',
    '$ sudo /usr/bin/qemu-system-x86_64 -s',
    '# qemu-system-x86_64 -s',
    'longmode -s',
    'kvm -s',
    '-s',
  ])('%j', (text) => {
    expect(splitCommand(text)).toEqual(['-s'])
  })
  it('must be one whose flags are known', () => {
    expect(() => splitCommand('VBoxManage startvm x')).toThrow('"VBoxManage" is not a program')
    expect(() => splitCommand('qemu-system-aarch64 -s')).toThrow('qemu-system-x86_64 command')
  })
})

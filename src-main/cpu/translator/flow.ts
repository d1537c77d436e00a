/** Control flow of a region: blocks, dominators, loops. Structured emission (emit.ts) needs a reducible graph. */
import type { Insn } from './instructions.ts'

export interface Block {
  readonly start: number
  readonly insns: Insn[]
  /** Offset where control goes on when the last instruction does not go elsewhere; undefined after one that always does. */
  next: number | undefined
  /** Relative target of the last instruction, when it has one. */
  target: number | undefined
}

/** A block in the graph of the region. */
export interface Node {
  readonly block: Block
  /** Successors inside the region. */
  readonly successors: Node[]
  predecessors: Node[]
  /** Place in reverse postorder. */
  order: number
  dominator: Node | undefined
  /** Blocks that this one dominates immediately. */
  children: Node[]
  /** More than one edge comes in forwards. */
  isMerge: boolean
  isLoop: boolean
}

export class Graph {
  readonly entry: Node
  private readonly nodes = new Map<number, Node>()
  /** Edges that would enter a loop sideways: they leave the region. "from-to" */
  private readonly cut = new Set<string>()

  constructor(blocks: ReadonlyMap<number, Block>, entry: number) {
    for (const block of blocks.values())
      this.nodes.set(block.start, {
        block,
        successors: [],
        predecessors: [],
        order: -1,
        dominator: undefined,
        children: [],
        isMerge: false,
        isLoop: false,
      })
    this.entry = this.nodes.get(entry)!
    do this.analyse()
    while (this.cutSideEntries())
  }

  /** The node that an edge leads to, or undefined when it leaves the region. */
  follow(from: Node, to: number): Node | undefined {
    return this.cut.has(`${from.block.start}-${to}`) ? undefined : this.nodes.get(to)
  }
  /** Does the edge lead back to a loop that is being run? */
  isBack(from: Node, to: Node): boolean {
    return to.order <= from.order
  }

  private analyse(): void {
    for (const node of this.nodes.values()) {
      node.successors.length = 0
      node.predecessors = []
      node.children = []
      node.dominator = undefined
      node.order = -1
    }
    const postorder: Node[] = []
    this.visit(this.entry, postorder)
    const order = postorder.reverse()
    order.forEach((node, i) => {
      node.order = i
    })
    for (const node of order) for (const s of node.successors) s.predecessors.push(node)
    this.dominators(order)
    for (const node of order) {
      const forward = node.predecessors.filter((p) => !this.isBack(p, node))
      node.isMerge = forward.length > 1
      node.isLoop = forward.length < node.predecessors.length
      if (node !== this.entry) node.dominator!.children.push(node)
    }
  }
  private visit(node: Node, postorder: Node[]): void {
    node.order = 0
    const { block } = node
    // the fall-through last, so that it comes first in reverse postorder
    for (const to of [block.target, block.next]) {
      if (to === undefined) continue
      const successor = this.follow(node, to)
      if (!successor) continue
      node.successors.push(successor)
      if (successor.order < 0) this.visit(successor, postorder)
    }
    postorder.push(node)
  }
  /** Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm. */
  private dominators(order: readonly Node[]): void {
    this.entry.dominator = this.entry
    for (let changed = true; changed;) {
      changed = false
      for (const node of order) {
        if (node === this.entry) continue
        let best: Node | undefined
        for (const p of node.predecessors) {
          if (!p.dominator) continue
          best = best ? common(best, p) : p
        }
        if (best && node.dominator !== best) {
          node.dominator = best
          changed = true
        }
      }
    }
  }
  /** Edges back to a block that does not dominate their source: none are left in a reducible graph. */
  private cutSideEntries(): boolean {
    let found = false
    for (const node of this.nodes.values()) {
      if (node.order < 0) continue
      for (const s of node.successors)
        if (this.isBack(node, s) && !dominates(s, node)) {
          this.cut.add(`${node.block.start}-${s.block.start}`)
          found = true
        }
    }
    return found
  }
}

function common(a: Node, b: Node): Node {
  let x = a
  let y = b
  while (x !== y) {
    while (x.order > y.order) x = x.dominator!
    while (y.order > x.order) y = y.dominator!
  }
  return x
}
function dominates(a: Node, b: Node): boolean {
  let x = b
  while (x.order > a.order) x = x.dominator!
  return x === a
}

/**
 * Control flow of a region: blocks, dominators, loops. Structured emission (emit.ts) needs a reducible graph: edges that would enter a loop
 * sideways go through a dispatcher instead, a loop around everything that begins with a switch.
 */
import type { Insn } from './instructions.ts'

/** A place where a block leads: an offset, and the key of the block there when it is in the region. */
export interface Place {
  readonly at: number
  readonly key: number | undefined
}

export interface Block {
  readonly key: number
  readonly insns: readonly Insn[]
  /** Where control goes on when the last instruction does not go elsewhere; undefined after one that always does. */
  readonly next: Place | undefined
  /** Relative target of the last instruction, when it has one that may be in the region. */
  readonly target: Place | undefined
  /** Where the last instruction, a RET or an indirect jump or call, may go to inside the region. */
  readonly landings: readonly Place[]
}

/** A block in the graph of the region. */
export interface Node {
  /** None: the dispatcher. */
  readonly block: Block | undefined
  /** Successors inside the region. */
  readonly successors: Node[]
  predecessors: Node[]
  /** Place in reverse postorder; -1: not reached. */
  order: number
  dominator: Node | undefined
  /** Blocks that this one dominates immediately. */
  children: Node[]
  /** More than one edge comes in forwards, or one from the dispatcher. */
  isMerge: boolean
  isLoop: boolean
}

const newNode = (block: Block | undefined): Node => ({
  block,
  successors: [],
  predecessors: [],
  order: -1,
  dominator: undefined,
  children: [],
  isMerge: false,
  isLoop: false,
})

export class Graph {
  /** The dispatcher, or where there is none the block that the region begins with. */
  root: Node
  private readonly entry: Node
  private readonly nodes = new Map<number, Node>()
  /** Where the dispatcher leads, the region's entry first; empty when there is none. */
  readonly dispatched: Node[] = []
  /** Edges that go through the dispatcher. */
  private readonly sideways = new Map<Node, Set<Node>>()

  constructor(blocks: ReadonlyMap<number, Block>, entry: number) {
    for (const block of blocks.values()) this.nodes.set(block.key, newNode(block))
    this.entry = this.nodes.get(entry)!
    this.root = this.entry
    do this.analyse()
    while (this.findSideEntries())
  }

  /** The node at a place of the region, or undefined outside. */
  find(place: Place): Node | undefined {
    return place.key === undefined ? undefined : this.nodes.get(place.key)
  }
  /** Does the edge go through the dispatcher? */
  isSideways(from: Node, to: Node): boolean {
    return this.sideways.get(from)?.has(to) ?? false
  }
  /** Does the edge lead back to a loop that is being run? */
  isBack(from: Node, to: Node): boolean {
    return to.order <= from.order
  }

  private analyse(): void {
    for (const node of [this.root, ...this.nodes.values()]) {
      node.successors.length = 0
      node.predecessors = []
      node.children = []
      node.dominator = undefined
      node.order = -1
    }
    const postorder: Node[] = []
    this.visit(this.root, postorder)
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
      if (node !== this.root) node.dominator!.children.push(node)
    }
    if (this.dispatched.length === 0) return
    this.root.isLoop = true
    for (const node of this.dispatched) node.isMerge = true
  }
  private visit(node: Node, postorder: Node[]): void {
    node.order = 0
    for (const successor of node.block ? this.following(node, node.block) : this.dispatched) {
      node.successors.push(successor)
      if (successor.order < 0) this.visit(successor, postorder)
    }
    postorder.push(node)
  }
  private following(node: Node, { target, next, landings }: Block): Node[] {
    // the fall-through last, so that it comes first in reverse postorder
    const places = [...landings, target, next]
    return places
      .map((place) => place && this.find(place))
      .filter((to) => to !== undefined)
      .filter((to) => !this.isSideways(node, to))
  }
  /** Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm. */
  private dominators(order: readonly Node[]): void {
    this.root.dominator = this.root
    for (let changed = true; changed;) {
      changed = false
      for (const node of order) {
        if (node === this.root) continue
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
  private findSideEntries(): boolean {
    let found = false
    for (const node of this.nodes.values()) {
      if (node.order < 0) continue
      for (const s of node.successors) {
        if (!this.isBack(node, s) || dominates(s, node)) continue
        this.goSideways(node, s)
        found = true
      }
    }
    return found
  }
  private goSideways(from: Node, to: Node): void {
    const { sideways, dispatched } = this
    const known = sideways.get(from)
    if (known) known.add(to)
    else sideways.set(from, new Set([to]))
    if (dispatched.length === 0) {
      this.root = newNode(undefined)
      dispatched.push(this.entry)
    }
    if (!dispatched.includes(to)) dispatched.push(to)
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

/** Compares a .config with what a boot needs. */
import type { BootPlan, ConfigFinding, ConfigReport, ConfigValue, Userland } from '../../contract/kernel-tree.ts'
import { DotConfig } from './dot-config.ts'
import { needs, type Need } from './needs-table.ts'
import { factsOf, type PlanFacts } from './plan-facts.ts'

function wantedOf({ as }: Need, facts: PlanFacts): readonly ConfigValue[] {
  switch (as) {
    case 'builtin':
      return ['y']
    case 'off':
      return ['n']
    case 'root':
      return facts.kernelMountsRoot ? ['y'] : ['y', 'm']
    case 'any':
      return ['y', 'm']
  }
}

/** A module where one will do still has to be on the guest's disk; a kernel of one's own seldom has its modules there. */
function asModule(need: Need, finding: ConfigFinding): ConfigFinding {
  const severity = need.severity === 'advice' ? 'advice' : 'broken'
  const where = "it is a module: without its modules on the guest's disk (make modules_install) or in the initrd, "
  return { ...finding, wanted: ['y'], severity, failure: where + finding.failure }
}

function findingsOf(need: Need, config: DotConfig, facts: PlanFacts): ConfigFinding[] {
  const neededFor = need.by(facts)
  if (neededFor === undefined) return []
  const wanted = wantedOf(need, facts)
  return need.options.flatMap((option) => {
    const have = config.get(option)
    const finding = { option, wanted, have, severity: need.severity, neededFor, failure: need.failure }
    if (!wanted.includes(have)) return [finding]
    return have === 'm' && !facts.initrd ? [asModule(need, finding)] : []
  })
}

const order: readonly ConfigFinding['severity'][] = ['fatal', 'broken', 'advice']

export function checkDotConfig(text: string, plan: BootPlan, userland: Userland): ConfigReport {
  const config = new DotConfig(text)
  const facts = factsOf(plan, userland)
  const byOption = new Map<string, ConfigFinding>()
  for (const finding of needs.flatMap((need) => findingsOf(need, config, facts))) {
    const other = byOption.get(finding.option)
    if (other === undefined || order.indexOf(finding.severity) < order.indexOf(other.severity))
      byOption.set(finding.option, finding)
  }
  const findings = [...byOption.values()].sort(
    (one, other) => order.indexOf(one.severity) - order.indexOf(other.severity),
  )
  return { findings, boots: findings.every(({ severity }) => severity === 'advice') }
}

import { runSimulation, generatePlan, nodeNames } from "./src/mod.ts";
Error.stackTraceLimit = 5;
const from=+process.argv[2]!, n=+process.argv[3]!;
const some=new Map<string,number>(); let sim=0, bad=0;
const a=process.cpuUsage();
for (let seed=from; seed<from+n; seed++) {
  const r=await runSimulation({seed, plan: generatePlan(seed,nodeNames), checkers:[]});
  if (process.env.V) console.log(seed, r.traceHash);
  sim+=r.simulatedMs;
  for (const [k,v] of r.sometimes) some.set(k,(some.get(k)??0)+v);
  if (r.violations.length) { bad++; if (bad<4) console.log(seed, r.violations, r.plan); }
}
const x=process.cpuUsage(a);
console.log("bad",bad,"of",n, (x.user+x.system)/1000/n,'ms per seed', sim/n, 'sim ms'); console.log(some);

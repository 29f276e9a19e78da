using Proxy.Fuzz;
using Proxy.Fuzz.Coverage;

// run SECONDS [SEED] · replay · distil · repro TARGET FILE
return InstrumentedContext.Enter(typeof(Commands), nameof(Commands.Run), args);

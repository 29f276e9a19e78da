using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace Proxy.Fuzz.Coverage;

/// <summary>One thread. Writes copies of assemblies that report each basic block to <see cref="Edges"/>.</summary>
internal sealed class Instrumenter(string source, string destination)
{
    // Generated protobuf code is not ours to search for mistakes, and its size would drown the map.
    private const string Generated = "Proxy.LiveKit.Protocol";
    private uint _block = 1;

    public void Run(string assembly)
    {
        string path = Path.Combine(source, assembly + ".dll");
        using DefaultAssemblyResolver resolver = new();
        resolver.AddSearchDirectory(source);
        using ModuleDefinition module = ModuleDefinition.ReadModule(path, new ReaderParameters { AssemblyResolver = resolver });
        MethodReference hit = module.ImportReference(typeof(Edges).GetMethod(nameof(Edges.Hit)));
        foreach (TypeDefinition type in module.GetTypes().Where(t => !t.FullName.StartsWith(Generated, StringComparison.Ordinal)))
        {
            foreach (MethodDefinition method in type.Methods.Where(m => m.HasBody))
            {
                Instrument(method.Body, hit);
            }
        }
        module.Write(Path.Combine(destination, assembly + ".dll"));
    }

    private void Instrument(MethodBody body, MethodReference hit)
    {
        body.SimplifyMacros();
        ILProcessor il = body.GetILProcessor();
        Dictionary<Instruction, Instruction> moved = [];
        foreach (Instruction leader in Leaders(body))
        {
            // Knuth's multiplicative hash spreads neighbours over the map; the same number on every run.
            Instruction number = il.Create(OpCodes.Ldc_I4, (int)((_block++ * 2_654_435_761) >> 17));
            il.InsertBefore(leader, number);
            il.InsertBefore(leader, il.Create(OpCodes.Call, hit));
            moved[leader] = number;
        }
        Redirect(body, moved);
        body.OptimizeMacros();
    }

    private static HashSet<Instruction> Leaders(MethodBody body)
    {
        HashSet<Instruction> leaders = [body.Instructions[0]];
        foreach (Instruction instruction in body.Instructions)
        {
            if (instruction.Operand is Instruction target)
            {
                leaders.Add(target);
            }
            else if (instruction.Operand is Instruction[] targets)
            {
                leaders.UnionWith(targets);
            }
            bool isBranch = instruction.OpCode.FlowControl is FlowControl.Cond_Branch or FlowControl.Branch;
            if (isBranch && instruction.Next is not null)
            {
                leaders.Add(instruction.Next);
            }
        }
        return leaders;
    }

    private static void Redirect(MethodBody body, Dictionary<Instruction, Instruction> moved)
    {
        Instruction? To(Instruction? old) => old is not null && moved.TryGetValue(old, out Instruction? start) ? start : old;
        foreach (Instruction instruction in body.Instructions)
        {
            instruction.Operand = instruction.Operand switch
            {
                Instruction target => To(target),
                Instruction[] targets => Array.ConvertAll(targets, t => To(t)!),
                _ => instruction.Operand,
            };
        }
        foreach (ExceptionHandler handler in body.ExceptionHandlers)
        {
            handler.TryStart = To(handler.TryStart);
            handler.TryEnd = To(handler.TryEnd);
            handler.HandlerStart = To(handler.HandlerStart);
            handler.HandlerEnd = To(handler.HandlerEnd);
            handler.FilterStart = To(handler.FilterStart);
        }
    }
}

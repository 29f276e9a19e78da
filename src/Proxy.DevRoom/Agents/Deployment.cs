namespace Proxy.DevRoom.Agents;

/// <summary>Any thread. Names that workers and dispatches choose.</summary>
internal static class Deployment
{
    /// <summary>Characters in an agent's name or a deployment's.</summary>
    public const int LengthMax = 256;

    /// <param name="refusal">In the stock server's words, where they are known.</param>
    public static bool IsValid(string deployment, out string refusal)
    {
        refusal = "";
        if (deployment.Length > LengthMax)
        {
            refusal = "deployment length exceeds limits: max length 256";
        }
        for (int i = 0; i < deployment.Length && refusal.Length == 0; i++)
        {
            if (deployment[i] <= ' ' || deployment[i] == '\u007f')
            {
                refusal = "deployment contains whitespace or control byte at position " + i;
            }
            else if (deployment[i] == '_')
            {
                refusal = "deployment contains an underscore at position " + i;
            }
        }
        return refusal.Length == 0;
    }
}

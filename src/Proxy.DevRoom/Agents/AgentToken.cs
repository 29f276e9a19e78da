using System;
using System.Collections.Generic;
using Proxy.Core.Time;
using Proxy.DevRoom.Rooms;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;

namespace Proxy.DevRoom.Agents;

/// <summary>Room loop. The token with which a job's agent joins its room: kind agent, the rights that its worker registered with.</summary>
internal static class AgentToken
{
    private const long LifeSeconds = 3600;

    public static string Mint(RoomEnvironment environment, AgentJob job, AgentWorker worker, AvailabilityResponse answer, MonoTime now)
    {
        // A worker that asks for no particular rights gets all but the metrics'.
        ParticipantPermission allowed = worker.Registration.AllowedPermissions
            ?? new ParticipantPermission { CanPublish = true, CanSubscribe = true, CanPublishData = true, CanUpdateMetadata = true };
        Dictionary<string, string> attributes = new(answer.ParticipantAttributes) { ["lk.agent_name"] = job.Info.AgentName };
        long seconds = environment.UnixSeconds(now);
        AccessClaims claims = new()
        {
            ApiKey = environment.Options.ApiKey,
            Identity = answer.ParticipantIdentity,
            Name = answer.ParticipantName,
            Metadata = answer.ParticipantMetadata,
            Kind = "agent",
            Attributes = attributes,
            IssuedAt = seconds,
            NotBefore = seconds,
            ExpiresAt = seconds + LifeSeconds,
            Video = new VideoGrant
            {
                RoomJoin = true,
                Room = job.RoomName,
                Agent = true,
                Hidden = allowed.Hidden,
                CanPublish = allowed.CanPublish,
                CanSubscribe = allowed.CanSubscribe,
                CanPublishData = allowed.CanPublishData,
                CanUpdateOwnMetadata = allowed.CanUpdateMetadata,
                CanSubscribeMetrics = allowed.CanSubscribeMetrics,
            },
        };
        return environment.Keys.TryGetSecret(claims.ApiKey, out ReadOnlySpan<byte> secret) ? AccessToken.Mint(claims, secret) : "";
    }
}

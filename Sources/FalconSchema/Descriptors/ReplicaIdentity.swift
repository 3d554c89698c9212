import FalconStorage

/// What the log carries of a row as it was before an UPDATE or DELETE: ALTER TABLE … REPLICA IDENTITY.
public enum ReplicaIdentity: Sendable, Hashable {
    /// DEFAULT: the key that the row is stored under, which every change names anyway.
    case primaryKey
    /// The whole row.
    case full
    /// Nothing.
    case nothing
    /// The columns of a unique index. Once the index is gone it is as ``nothing``.
    case index(OID)

    /// PostgreSQL's letter for it, as in `pg_class.relreplident`.
    public var letter: Unicode.Scalar {
        switch self {
        case .primaryKey: "d"
        case .full: "f"
        case .nothing: "n"
        case .index: "i"
        }
    }
}

extension TableDescriptor {
    /// The index that names rows in the log, where ``replicaIdentity`` asks for one that is there.
    public var identityIndex: IndexDescriptor? {
        guard case .index(let oid) = replicaIdentity else { return nil }
        return indexes.first { $0.oid == oid }
    }

    /// Changes name their rows by nothing: REPLICA IDENTITY NOTHING, or USING INDEX of an index that was
    /// dropped.
    public var hasNoReplicaIdentity: Bool {
        switch replicaIdentity {
        case .primaryKey, .full: false
        case .nothing: true
        case .index: identityIndex == nil
        }
    }
}

extension ReplicaIdentity {
    /// The stored form: its letter, and an index's OID.
    func append(to writer: inout ByteWriter) {
        writer.append(UInt8(truncatingIfNeeded: letter.value))
        if case .index(let oid) = self { writer.appendFixed(oid.rawValue) }
    }

    /// Nil when the bytes are none.
    init?(_ reader: inout ByteReader) {
        switch reader.readByte() {
        case UInt8(ascii: "d"): self = .primaryKey
        case UInt8(ascii: "f"): self = .full
        case UInt8(ascii: "n"): self = .nothing
        case UInt8(ascii: "i"):
            guard let oid = reader.readFixed(UInt32.self) else { return nil }
            self = .index(OID(oid))
        default: return nil
        }
    }
}

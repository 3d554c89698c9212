/// Appends version edits to the MANIFEST of one incarnation, each synced before it counts.
/// Callers serialise among themselves.
final class ManifestWriter: @unchecked Sendable {
    let number: UInt64
    private let uid: UID
    private let file: any File
    private var offset: UInt64
    private var sequence: UInt64 = 1
    /// Nil: the manifest is plain.
    private let cipher: FileCipher?
    private let largestPayloadBytes: Int
    /// Writes begun, failed ones too.
    private var writes: UInt64 = 0
    /// After a failed sync the file's fate is unknown: nothing is appended any more.
    private var failure: StorageError?

    /// Writes a new manifest that begins with `snapshot`, and syncs it and its directory. CURRENT
    /// does not name it yet.
    /// - Parameter largestPayloadBytes: a larger edit is refused.
    init(
        number: UInt64, uid: UID, shard: UID, snapshot: VersionEdit, _ names: FileNames,
        _ fileSystem: any FileSystem,
        largestPayloadBytes: Int = ManifestFormat.largestPayloadBytes
    ) throws(StorageError) {
        self.largestPayloadBytes = largestPayloadBytes
        let path = names.manifest(number)
        // Left by an earlier try that did not get as far as CURRENT.
        if try fileSystem.exists(path) { try fileSystem.remove(path) }
        file = try fileSystem.open(path, .create)
        self.number = number
        self.uid = uid
        cipher = try fileSystem.makeCipher(.manifest, .shared, uid: uid)
        let header = ManifestFormat.header(
            number: number, uid: uid, shard: shard, envelope: cipher?.envelope)
        offset = UInt64(header.count)
        try file.write(header, at: 0)
        try append(snapshot)
        try fileSystem.syncDirectory(names.root)
    }

    var byteCount: UInt64 { offset }
    var hasFailed: Bool { failure != nil }

    /// Makes `edit` durable, or throws and leaves the manifest as it was for a later open. A write
    /// that failed may be tried again at the same place; after a failed sync nothing may.
    func append(_ edit: VersionEdit) throws(StorageError) {
        if let failure { throw failure }
        var payload = edit.encoded()
        if let cipher {
            payload = try ManifestFormat.seal(
                payload, sequence: sequence, writes: writes, uid: uid, cipher)
            writes += 1
        }
        // A reader would take it for a torn tail.
        guard payload.count <= largestPayloadBytes else {
            throw StorageError(
                .invalidArgument, kind: .user,
                "An edit of the manifest has \(payload.count) bytes; "
                    + "\(largestPayloadBytes) are possible.",
                location: .init(path: file.path),
                hint: "The first and last keys of tables are in it: use shorter keys.")
        }
        let chunk = ManifestFormat.chunk(
            payload: payload, sequence: sequence, uid: uid, offset: offset)
        try file.write(chunk, at: offset)
        do throws(StorageError) {
            try file.syncData()
        } catch {
            failure = StorageError(
                .poisoned, kind: .transient,
                "A sync of the manifest failed; its last edit may or may not be durable.",
                cause: error.description, location: .init(path: file.path),
                hint: "Reopen the engine.", errno: error.errno)
            throw error
        }
        offset += UInt64(chunk.count)
        sequence += 1
    }

    func close() throws(StorageError) { try file.close() }
}

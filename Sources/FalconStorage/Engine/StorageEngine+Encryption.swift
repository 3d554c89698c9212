/// How far the files of an engine are encrypted.
public struct EncryptionStatus: Sendable {
    /// Files of a kind.
    public struct Files: Sendable, Hashable {
        /// Files that are encrypted, under whatever key.
        public var encrypted = 0
        /// Files that are not.
        public var plain = 0
        /// Of both: those that background work has yet to encrypt anew, or to decrypt.
        public var pending = 0

        mutating func add(_ keyID: UInt64, isFresh: Bool) {
            if keyID == 0 { plain += 1 } else { encrypted += 1 }
            if !isFresh { pending += 1 }
        }
    }
    /// The registry, without the keys.
    public var keys: KeyRingReport
    /// Tables of all levels.
    public var tables = Files()
    /// Blob files in use.
    public var blobFiles = Files()

    /// `off`, `on`, or what is under way with the number of tables and blob files that wait for it.
    public var summary: String {
        let pending = tables.pending + blobFiles.pending
        if keys.isSealing {
            return pending == 0 ? "on" : "on, \(pending) files to be encrypted anew"
        }
        return pending == 0 ? "off" : "off, \(pending) files to be decrypted"
    }
}

extension StorageEngine {
    /// Nil: nothing is encrypted, nor was.
    public func encryptionStatus() -> EncryptionStatus? {
        guard let ring = environment.fileSystem.keys?.ring else { return nil }
        var status = EncryptionStatus(keys: ring.report)
        let fresh = ring.freshIDs
        let version = cell.retained().version
        for level in version.levels {
            for file in level.files {
                let keyID = file.metadata.keyID
                status.tables.add(keyID, isFresh: fresh.contains(keyID))
            }
        }
        for entry in version.blobs.entries {
            let keyID = entry.file.metadata.keyID
            status.blobFiles.add(keyID, isFresh: fresh.contains(keyID))
        }
        return status
    }

    /// Wraps the keys of the directory under another master key; files stay as they are. When this returns the old
    /// key opens the directory no more, though it does a copy of KEYS that was made before.
    public func rotateMasterKey(to source: MasterKeySource) throws(StorageError) {
        let ring = try writableKeys()
        try ring.rotateMaster(to: try MasterSecret(source, environment.fileSystem))
    }

    /// Gives new files new keys. Tables and blob files under the old ones are encrypted anew in the background, the
    /// log from its next segment on, MANIFEST with the next open.
    public func rotateDataKeys() throws(StorageError) {
        let ring = try writableKeys()
        try ring.rotateKeys()
        try writable().background.kick()
    }

    private func writableKeys() throws(StorageError) -> KeyRing {
        _ = try writable()
        guard let ring = environment.fileSystem.keys?.ring else {
            throw StorageError(
                .invalidArgument, kind: .user, "The data directory is not encrypted.",
                hint: "Open it with a master key first.")
        }
        return ring
    }
}

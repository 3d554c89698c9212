/// Makes the ciphers of files, from a ring of wrapping keys.
final class FileKeys: FileKeyring {
    let ring: KeyRing
    /// Not nil: new files are all of this scope, whatever is in them.
    private let override: KeyScope?

    init(_ ring: KeyRing, override: KeyScope? = nil) {
        self.ring = ring
        self.override = override
    }

    /// The cipher of a new file, with a data key of its own; nil: new files are plain.
    func makeCipher(
        _ kind: KeyEnvelope.FileKind, _ scope: KeyScope, uid: UID
    ) throws(StorageError) -> FileCipher? {
        guard ring.isSealing else { return nil }
        let wrapping = try ring.activeKey(override ?? scope)
        let key = try AESGCM.random(AESGCM.keyBytes)
        let nonce = try AESGCM.random(AESGCM.nonceBytes)
        guard
            let wrapped = AESGCM.seal(
                key, key: wrapping.key, nonce: nonce,
                additional: KeyEnvelope.additional(kind, uid, wrapping.id))
        else { throw AESGCM.failure }
        return FileCipher(
            key: key, envelope: KeyEnvelope(keyID: wrapping.id, nonce: nonce, wrapped: wrapped))
    }

    /// The cipher of a file that is there.
    func cipher(
        _ kind: KeyEnvelope.FileKind, _ envelope: KeyEnvelope, uid: UID, path: String
    ) throws(StorageError) -> FileCipher {
        guard let wrapping = try ring.key(envelope.keyID) else {
            throw Self.missing(envelope.keyID, path)
        }
        guard
            let key = AESGCM.open(
                envelope.wrapped, key: wrapping.key, nonce: envelope.nonce,
                additional: KeyEnvelope.additional(kind, uid, envelope.keyID))
        else {
            throw .corruption(
                "The file's wrapped key fails its authentication.", path: path,
                hint: "Restore the file from a backup.")
        }
        return FileCipher(key: key, envelope: envelope)
    }

    /// A file's key is not at hand.
    static func missing(_ keyID: UInt64, _ path: String) -> StorageError {
        StorageError(
            .keyMissing, kind: .user,
            "The file is encrypted under key \(FileNames.hex(keyID)), which is not at hand.",
            location: .init(path: path),
            hint: "Give the directory's master key, and keep KEYS with its files.")
    }
}

extension FileSystem {
    /// As ``FileKeys/makeCipher(_:_:uid:)``; nil without keys.
    func makeCipher(
        _ kind: KeyEnvelope.FileKind, _ scope: KeyScope, uid: UID
    ) throws(StorageError) -> FileCipher? {
        guard let keys else { return nil }
        return try keys.makeCipher(kind, scope, uid: uid)
    }
}

extension Optional where Wrapped == FileKeys {
    /// As ``FileKeys/cipher(_:_:uid:path:)``; `key-missing` without keys.
    func cipher(
        _ kind: KeyEnvelope.FileKind, _ envelope: KeyEnvelope, uid: UID, path: String
    ) throws(StorageError) -> FileCipher {
        guard let self else { throw FileKeys.missing(envelope.keyID, path) }
        return try self.cipher(kind, envelope, uid: uid, path: path)
    }
}

import CCrypto

/// AES-256-GCM of small things: wrapped keys and the registry's proof. Files go through ``FileCipher``.
enum AESGCM {
    static let keyBytes = 32
    static let nonceBytes = 12
    static let tagBytes = 16

    /// Ciphertext and tag of `plain`; nil when libcrypto fails.
    static func seal(
        _ plain: [UInt8], key: [UInt8], nonce: [UInt8], additional: [UInt8]
    ) -> [UInt8]? {
        guard key.count == keyBytes, nonce.count == nonceBytes, let context = EVP_CIPHER_CTX_new()
        else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        var sealed = [UInt8](repeating: 0, count: plain.count + tagBytes)
        var length: Int32 = 0
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(context, nil, &length, additional, Int32(additional.count)) == 1,
            plain.isEmpty
                || EVP_EncryptUpdate(context, &sealed, &length, plain, Int32(plain.count)) == 1
        else { return nil }
        let isDone = sealed.withUnsafeMutableBytes { room in
            guard let tag = room.baseAddress.map({ $0 + plain.count }) else { return false }
            var rest = [UInt8](repeating: 0, count: tagBytes)
            return EVP_EncryptFinal_ex(context, &rest, &length) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), tag) == 1
        }
        return isDone ? sealed : nil
    }

    /// What `sealed` was; nil when key, nonce or additional data are others, or a bit of it is.
    static func open(
        _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], additional: [UInt8]
    ) -> [UInt8]? {
        guard key.count == keyBytes, nonce.count == nonceBytes, sealed.count >= tagBytes,
            let context = EVP_CIPHER_CTX_new()
        else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        let count = sealed.count - tagBytes
        var plain = [UInt8](repeating: 0, count: count)
        var tag = Array(sealed[count...])
        var rest = [UInt8](repeating: 0, count: tagBytes)
        var length: Int32 = 0
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(context, nil, &length, additional, Int32(additional.count)) == 1,
            count == 0 || EVP_DecryptUpdate(context, &plain, &length, sealed, Int32(count)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &tag) == 1,
            EVP_DecryptFinal_ex(context, &rest, &length) == 1
        else { return nil }
        return plain
    }

    /// `count` bytes from libcrypto's generator, the only source of keys and of nonces that are not counted.
    static func random(_ count: Int) throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(count)) == 1 else {
            throw StorageError(
                .internalError, kind: .transient, "libcrypto has no random bytes to give.")
        }
        return bytes
    }

    /// libcrypto could not seal: only a lack of memory is known to make it.
    static var failure: StorageError {
        StorageError(.outOfMemory, kind: .transient, "libcrypto could not encrypt.")
    }
}

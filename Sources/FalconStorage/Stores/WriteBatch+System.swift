/// Operations on the engine's own rows: change capture does not show them.
extension WriteBatch {
    func putSystem(_ key: [UInt8], _ value: [UInt8]) throws(StorageError) {
        try key.withStorageBytes { key throws(StorageError) in
            try value.withStorageBytes { value throws(StorageError) in
                try put(key: key, value: value, class: .system)
            }
        }
    }

    func deleteSystem(_ key: [UInt8]) throws(StorageError) {
        try key.withStorageBytes { key throws(StorageError) in
            try delete(key: key, class: .system)
        }
    }
}

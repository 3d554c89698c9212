import FalconStorage

extension StorageEngine {
    /// Opens a directory read-only, beside whoever has it, with a small cache: to look up little in it.
    package static func look(
        at root: String, cacheBytes: Int = 1 << 20, environment: StorageEnvironment
    ) throws(StorageError) -> StorageEngine {
        var options = EngineOptions()
        options.isReadOnly = true
        options.createIfMissing = false
        options.blockCacheBytes = cacheBytes
        return try open(at: root, options: options, environment: environment)
    }
}

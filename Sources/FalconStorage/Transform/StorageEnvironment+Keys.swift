extension StorageEnvironment {
    /// The same but for the file system.
    func with(_ fileSystem: any FileSystem) -> StorageEnvironment {
        StorageEnvironment(fileSystem: fileSystem, clock: clock, random: random)
    }

    /// With the keys of the data directory `root`, to be read; the same where it has no key registry. Throws
    /// `key-missing` when the key is wrong.
    public func withKeys(
        root: String, _ source: MasterKeySource
    ) throws(StorageError) -> StorageEnvironment {
        let files = fileSystem.unkeyed
        guard try files.exists(FileNames(root: root).keys) else { return self }
        return with(KeyedFileSystem(files, try KeyRing.open(root: root, source, files)))
    }
}

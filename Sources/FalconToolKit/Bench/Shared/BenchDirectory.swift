import FalconStorage

/// The directory a measurement makes its database in.
enum BenchDirectory {
    /// Removes an engine's directory; refuses one that holds anything else.
    static func remove(
        _ path: String, _ files: any FileSystem
    ) throws(StorageError) {
        guard try files.exists(path) else { return }
        let names = FileNames(root: path)
        for directory in [names.sstDirectory, names.walDirectory, names.spillDirectory, path] {
            guard try files.exists(directory) else { continue }
            for name in try files.list(directory) {
                if directory == path,
                    ["sst", "wal", FileNames.spillDirectoryName].contains(name)
                {
                    continue
                }
                if FileNames.parse(name) == .unknown {
                    throw .invalidArgument(
                        "\(directory) holds '\(name)', which is no engine's file.",
                        hint: "Give --db a directory of its own.")
                }
                try files.remove(directory + "/" + name)
            }
            try files.removeDirectory(directory)
        }
    }
}

/// The CURRENT file: which MANIFEST is live. Replaced whole by rename.
///
/// ```
/// MANIFEST-%016x\n        the name
/// %016x\n                 XXH3-64 of the line above, newline included
/// ```
enum CurrentMarker {
    static func encode(manifest number: UInt64) -> [UInt8] {
        let line = Array((FileNames.manifestName(number) + "\n").utf8)
        let sum = line.withUnsafeBytes { Checksum.xxh3($0) }
        return line + Array((FileNames.hex(sum) + "\n").utf8)
    }

    static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> UInt64 {
        let damaged = StorageError.corruption(
            "The CURRENT file does not name a manifest.", path: path, offset: 0,
            hint: "The MANIFEST file with the greatest number is the likely one.")
        guard let end = bytes.firstIndex(of: 0x0A),
            let name = String(validating: bytes[..<end], as: UTF8.self),
            case .manifest(let number) = FileNames.parse(name), encode(manifest: number) == bytes
        else { throw damaged }
        return number
    }

    /// The live manifest's number; nil when the directory has no CURRENT yet.
    static func read(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) -> UInt64? {
        guard try fileSystem.exists(names.current) else { return nil }
        return try decode(fileSystem.contents(of: names.current), path: names.current)
    }

    /// Makes `number` the live manifest, durably.
    static func write(
        manifest number: UInt64, _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        try fileSystem.replace(names.current, with: encode(manifest: number))
    }
}

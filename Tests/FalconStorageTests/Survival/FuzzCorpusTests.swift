import Testing

@testable import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The fuzzer's corpus, replayed: what `scripts/soak fuzz` found worth keeping, and what once broke a
/// decoder. A file here that traps takes the whole run with it, which names the test.
@Suite struct FuzzCorpusTests {
    private static let folder: String = {
        let here = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return "/" + here + "/Fixtures/fuzz"
    }()

    @Test(arguments: FuzzTarget.allCases)
    func theCorpusIsDecodedOrRefused(_ target: FuzzTarget) throws {
        let fileSystem = PosixFileSystem()
        let directory = "\(Self.folder)/\(target.rawValue)"
        let names = try fileSystem.list(directory)
        #expect(names.count >= 10, "the corpus is missing: \(directory)")
        var decoders: Set<Int> = []
        for name in names {
            let bytes = try fileSystem.contents(of: "\(directory)/\(name)")
            if let first = bytes.first { decoders.insert(Int(first) % target.decoders.count) }
            bytes.withUnsafeBytes { target.run($0) }
        }
        #expect(decoders.count == target.decoders.count, "each decoder has its inputs")
    }

    /// With FALCON_FUZZ_EXEMPLARS=DIR: sound inputs of every decoder, for a corpus to begin with.
    @Test(.enabled(if: getenv("FALCON_FUZZ_EXEMPLARS") != nil))
    func writeExemplars() throws {
        let root = getenv("FALCON_FUZZ_EXEMPLARS").map { String(cString: $0) } ?? "/nowhere"
        let fileSystem = PosixFileSystem()
        let exemplar = try DamageExemplar(.closed, seed: 1)
        for target in FuzzTarget.allCases {
            try fileSystem.createDirectoryIfMissing(root)
            let directory = "\(root)/\(target.rawValue)"
            try fileSystem.createDirectoryIfMissing(directory)
            for (number, input) in try FuzzExemplars.inputs(target, exemplar).enumerated() {
                let file = try fileSystem.open("\(directory)/exemplar-\(number)", .create)
                try file.write(input, at: 0)
                try file.close()
            }
        }
    }
}

@testable import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// libFuzzer's way in, when the folder is built as `falcon-fuzz` (scripts/soak fuzz). FALCON_FUZZ names
/// the ``FuzzTarget``.
private let fuzzed: FuzzTarget = {
    let name = getenv("FALCON_FUZZ").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
        print("FALCON_FUZZ must be one of: \(names)")
        exit(1)
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func falconFuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    fuzzed.run(UnsafeRawBufferPointer(start: data, count: size))
    return 0
}

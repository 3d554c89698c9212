#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a test waited for has not come.
public struct NotInTime: Error {
    public init() {}
}

/// Returns once `condition` holds, which another thread brings about; throws after `seconds`.
public func eventually(
    within seconds: Int = 60, _ condition: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while try !condition() {
        if ContinuousClock.now > deadline { throw NotInTime() }
        usleep(100)
    }
}

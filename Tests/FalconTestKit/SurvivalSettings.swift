#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How long the suites of survival and of restored histories run: the defaults are what every push runs,
/// `scripts/soak` asks for more. Everything random follows from ``seed``; threads do not, so a failure may need a few
/// runs.
public enum SurvivalSettings {
    public static let seed: UInt64 = number("FALCON_SURVIVAL_SEED", 20_260_101)

    /// Environment variable `name` as a number; `standard` without it.
    public static func number<Value: FixedWidthInteger>(_ name: String, _ standard: Value) -> Value
    {
        getenv(name).flatMap { Value(String(cString: $0)) } ?? standard
    }

    /// How to repeat what failed.
    public static func replay(_ seed: UInt64) -> String {
        "repeat with FALCON_SURVIVAL_SEED=\(seed)"
    }

    /// Tells how far a long run has come, where the environment asks for it.
    public static func progress(_ text: @autoclosure () -> String) {
        guard getenv("FALCON_SURVIVAL_PROGRESS") != nil else { return }
        print(text())
        fflush(nil)
    }
}

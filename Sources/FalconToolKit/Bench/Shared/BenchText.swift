#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Columns of result lines.
enum BenchText {
    static func padded(_ text: String, _ width: Int) -> String {
        text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
    }

    /// printf's `%width.decimalsf`.
    static func number(_ value: Double, width: Int, decimals: Int) -> String {
        let scale = pow(10.0, Double(decimals))
        let scaled = (value * scale).rounded()
        guard scaled.isFinite, abs(scaled) < 1e15 else { return "\(value)" }
        let digits = String(Int64(abs(scaled)))
        let filled = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        var text = scaled < 0 ? "-" : ""
        text += filled.dropLast(decimals)
        if decimals > 0 { text += "." + filled.suffix(decimals) }
        return text.count >= width ? text : String(repeating: " ", count: width - text.count) + text
    }
}

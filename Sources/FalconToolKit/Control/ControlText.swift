/// How falconctl writes things for people.
enum ControlText {
    /// `3d 04:05:06`
    static func duration(_ seconds: Int64) -> String {
        let seconds = max(0, seconds)
        let clock = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map { number in
            number < 10 ? "0\(number)" : "\(number)"
        }.joined(separator: ":")
        let days = seconds / 86400
        return days > 0 ? "\(days)d \(clock)" : clock
    }
}

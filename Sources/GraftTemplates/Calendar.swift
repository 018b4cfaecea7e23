import Glibc

/// The time of the call as `strftime_now` writes it.
enum Calendar {
    /// Python's `datetime.now().strftime(format)`, in the locale "C" and the zone of the process.
    ///
    /// - Parameter seconds: since 1970; nil is now.
    static func written(_ seconds: Int?, as format: Bytes) -> Bytes {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        if let seconds { moment = timespec(tv_sec: seconds, tv_nsec: 0) }
        var parts = tm()
        localtime_r(&moment.tv_sec, &parts)
        var out = Bytes()
        var position = 0
        while position < format.count {
            guard format[position] == ascii("%"), position + 1 < format.count else {
                out.append(format[position])
                position += 1
                continue
            }
            let letter = format[position + 1]
            position += 2
            switch letter {
            case ascii("f"):
                let digits = String(moment.tv_nsec / 1000)
                out += utf8(String(repeating: "0", count: 6 - digits.utf8.count) + digits)
            // A time without a zone, as Python's, has nothing to say of it.
            case ascii("z"), ascii("Z"): break
            // The C library's flags stand between.
            case ascii("-"), ascii("_"), ascii("0"), ascii("^"), ascii("#"), ascii("E"), ascii("O"):
                guard position < format.count else { continue }
                write([ascii("%"), letter, format[position]], parts, to: &out)
                position += 1
            default: write([ascii("%"), letter], parts, to: &out)
            }
        }
        return out
    }

    private static func write(_ directive: Bytes, _ parts: tm, to out: inout Bytes) {
        var (buffer, parts) = ([CChar](repeating: 0, count: 128), parts)
        let format = (directive + [0]).map { CChar(bitPattern: $0) }
        let capacity = buffer.count
        // The host's own locale must not change what a model reads.
        guard let plain = newlocale(1 << LC_TIME, "C", nil) else { return }
        let count = strftime_l(&buffer, capacity, format, &parts, plain)
        freelocale(plain)
        for character in buffer.prefix(count) { out.append(UInt8(bitPattern: character)) }
    }
}

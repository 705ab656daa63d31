;; Goes through the bytes of JSON, 64 or 16 at a time: `BINARY` in json-bytes.ts is what
;; `wat2wasm json-bytes.wat -o -` makes of this, in base64.
(module
  ;; Bytes to look at, from 0 on; whoever writes them puts 64 blanks behind.
  (memory (export "memory") 2)
  ;; Brackets open before the next byte.
  (global $depth (export "depth") (mut i32) (i32.const 0))
  ;; All ones where the next byte is within a string, else 0.
  (global $inString (export "inString") (mut i32) (i32.const 0))
  ;; 1 where the next byte comes behind an escaping backslash, else 0.
  (global $isEscaped (export "isEscaped") (mut i32) (i32.const 0))
  ;; Of the 64 bytes before: where a row of one, two, four and eight digits ends.
  (global $ones (mut i64) (i64.const 0))
  (global $twos (mut i64) (i64.const 0))
  (global $fours (mut i64) (i64.const 0))
  (global $eights (mut i64) (i64.const 0))

  ;; Which of the 64 bytes at a place equal one, after some of their bits were set.
  (func $places (param $at i32) (param $set v128) (param $byte v128) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte)
          (v128.or (v128.load (local.get $at)) (local.get $set)))))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte)
          (v128.or (v128.load offset=16 (local.get $at)) (local.get $set))))) (i64.const 16)))
      (i64.or
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte)
          (v128.or (v128.load offset=32 (local.get $at)) (local.get $set))))) (i64.const 32))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte)
          (v128.or (v128.load offset=48 (local.get $at)) (local.get $set))))) (i64.const 48)))))

  ;; Which of the 64 bytes at a place are outside of strings. Those behind the end may be told wrong.
  (func $outside (param $at i32) (param $length i32) (result i64)
    (local $last i64) (local $carried i64) (local $backslashes i64) (local $candidates i64)
    (local $escapes i64) (local $strings i64)
    ;; The place of the block's last byte: 63, or less where the bytes end in it.
    (local.set $last (i64.extend_i32_u (i32.sub (local.get $length) (local.get $at))))
    (local.set $last (i64.sub
      (select (i64.const 64) (local.get $last) (i64.gt_u (local.get $last) (i64.const 64)))
      (i64.const 1)))

    (local.set $carried (i64.extend_i32_u (global.get $isEscaped)))
    (local.set $strings (call $places (local.get $at)
      (v128.const i8x16 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0) (i8x16.splat (i32.const 0x22))))
    (local.set $backslashes (call $places (local.get $at)
      (v128.const i8x16 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0) (i8x16.splat (i32.const 0x5c))))
    ;; Of a row of backslashes every other one escapes what follows it. A borrow runs through
    ;; each row and tells at its end whether it began at an odd or an even place.
    (if (i64.ne (i64.or (local.get $backslashes) (local.get $carried)) (i64.const 0))
      (then
        (local.set $candidates (i64.and (local.get $backslashes)
          (i64.xor (local.get $carried) (i64.const -1))))
        (local.set $escapes (i64.xor (i64.const 0xaaaaaaaaaaaaaaaa)
          (i64.sub
            (i64.or (i64.shl (local.get $candidates) (i64.const 1)) (i64.const 0xaaaaaaaaaaaaaaaa))
            (local.get $candidates))))
        ;; Quotes that are escaped.
        (local.set $strings (i64.and (local.get $strings) (i64.xor (i64.const -1)
          (i64.xor (local.get $escapes)
            (i64.or (local.get $backslashes) (local.get $carried))))))
        (global.set $isEscaped (i32.and (i32.const 1) (i32.wrap_i64 (i64.shr_u
          (i64.and (local.get $escapes) (local.get $backslashes)) (local.get $last)))))))
    ;; From each quote to the one before the next: a bit is the parity of the quotes so far.
    (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 1))))
    (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 2))))
    (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 4))))
    (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 8))))
    (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 16))))
    (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 32))))
    (local.set $strings (i64.xor (local.get $strings) (i64.extend_i32_s (global.get $inString))))
    (global.set $inString (i32.wrap_i64 (i64.shr_s (local.get $strings) (i64.const 63))))
    (i64.xor (local.get $strings) (i64.const -1)))

  ;; Looks at so many bytes. Returns the place of the bracket that leaves none open, else -1.
  (func (export "scan") (param $length i32) (result i32)
    (local $at i32) (local $strings i64) (local $opening i64) (local $closing i64) (local $bit i64)
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $strings (call $outside (local.get $at) (local.get $length)))
        ;; [ and { differ in one bit, and so do ] and }.
        (local.set $opening (i64.and (local.get $strings) (call $places (local.get $at)
          (i8x16.splat (i32.const 0x20)) (i8x16.splat (i32.const 0x7b)))))
        (local.set $closing (i64.and (local.get $strings) (call $places (local.get $at)
          (i8x16.splat (i32.const 0x20)) (i8x16.splat (i32.const 0x7d)))))
        (if (i64.le_u (i64.extend_i32_u (global.get $depth)) (i64.popcnt (local.get $closing)))
          (then
            ;; One of these may be the last.
            (loop $next
              (if (i64.ne (local.get $closing) (i64.const 0))
                (then
                  (local.set $bit (i64.sub (i64.and (local.get $closing)
                    (i64.sub (i64.const 0) (local.get $closing))) (i64.const 1)))
                  (global.set $depth (i32.sub (i32.add (global.get $depth)
                    (i32.wrap_i64 (i64.popcnt (i64.and (local.get $opening) (local.get $bit)))))
                    (i32.const 1)))
                  (if (i32.eqz (global.get $depth))
                    (then (return (i32.add (local.get $at)
                      (i32.wrap_i64 (i64.popcnt (local.get $bit)))))))
                  (local.set $opening (i64.and (local.get $opening)
                    (i64.xor (local.get $bit) (i64.const -1))))
                  (local.set $closing (i64.and (local.get $closing)
                    (i64.sub (local.get $closing) (i64.const 1))))
                  (br $next))))))
        (global.set $depth (i32.add (global.get $depth) (i32.wrap_i64 (i64.sub
          (i64.popcnt (local.get $opening)) (i64.popcnt (local.get $closing))))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $block)))
    (i32.const -1))

  ;; To be called before the first bytes of a text are looked through for such numbers.
  (func (export "begin")
    (global.set $inString (i32.const 0))
    (global.set $isEscaped (i32.const 0))
    (global.set $ones (i64.const 0))
    (global.set $twos (i64.const 0))
    (global.set $fours (i64.const 0))
    (global.set $eights (i64.const 0)))

  ;; Whether so many bytes, a multiple of 64 but at the text's end, hold a number that a double may round:
  ;; outside of strings, 15 digits and points in a row, or one before an exponent. 1 if so, else 0.
  (func (export "mayRound") (param $length i32) (result i32)
    (local $at i32) (local $outside i64) (local $digits i64)
    (local $twos i64) (local $fours i64) (local $eights i64)
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $outside (call $outside (local.get $at) (local.get $length)))
        (local.set $digits (i64.and (local.get $outside) (call $digits (local.get $at))))
        (if (i64.ne (i64.const 0) (i64.or (local.get $digits) (global.get $ones)))
          (then
            (if (i64.ne (i64.const 0) (i64.and (local.get $outside) (i64.and
                (call $places (local.get $at) (i8x16.splat (i32.const 0x20)) (i8x16.splat (i32.const 0x65)))
                (call $behind (local.get $digits) (global.get $ones) (i64.const 1)))))
              (then (return (i32.const 1))))
            ;; Where a row of two ends, then of four, of eight and of fifteen.
            (local.set $twos (i64.and (local.get $digits)
              (call $behind (local.get $digits) (global.get $ones) (i64.const 1))))
            (local.set $fours (i64.and (local.get $twos)
              (call $behind (local.get $twos) (global.get $twos) (i64.const 2))))
            (local.set $eights (i64.and (local.get $fours)
              (call $behind (local.get $fours) (global.get $fours) (i64.const 4))))
            (if (i64.ne (i64.const 0) (i64.and (local.get $eights)
                (call $behind (local.get $eights) (global.get $eights) (i64.const 7))))
              (then (return (i32.const 1))))
            (global.set $ones (local.get $digits))
            (global.set $twos (local.get $twos))
            (global.set $fours (local.get $fours))
            (global.set $eights (local.get $eights))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $block)))
    (i32.const 0))

  ;; Which of the 64 bytes at a place are digits or a point; a slash too, which JSON has in strings alone.
  (func $digits (param $at i32) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u
          (i8x16.sub (v128.load (local.get $at)) (i8x16.splat (i32.const 0x2e))) (i8x16.splat (i32.const 11)))))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u
          (i8x16.sub (v128.load offset=16 (local.get $at)) (i8x16.splat (i32.const 0x2e))) (i8x16.splat (i32.const 11))))) (i64.const 16)))
      (i64.or
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u
          (i8x16.sub (v128.load offset=32 (local.get $at)) (i8x16.splat (i32.const 0x2e))) (i8x16.splat (i32.const 11))))) (i64.const 32))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.le_u
          (i8x16.sub (v128.load offset=48 (local.get $at)) (i8x16.splat (i32.const 0x2e))) (i8x16.splat (i32.const 11))))) (i64.const 48)))))

  ;; The marks of a block moved on by so many places, and of the block before what comes in by that.
  (func $behind (param $marks i64) (param $before i64) (param $places i64) (result i64)
    (i64.or (i64.shl (local.get $marks) (local.get $places))
      (i64.shr_u (local.get $before) (i64.sub (i64.const 64) (local.get $places)))))

  ;; Makes Latin-1 of so many bytes of UTF-8, in their place. Returns how many are left, or -1 where they
  ;; hold a character that has no place in it, or are no UTF-8.
  (func (export "narrow") (param $length i32) (result i32)
    (local $at i32) (local $to i32) (local $end i32) (local $byte i32) (local $lead i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $end (i32.add (local.get $at) (i32.const 16)))
        (if (i32.and
            (i32.and (i32.eqz (local.get $lead)) (i32.le_u (local.get $end) (local.get $length)))
            (i32.eqz (i8x16.bitmask (v128.load (local.get $at)))))
          (then
            (v128.store (local.get $to) (v128.load (local.get $at)))
            (local.set $to (i32.add (local.get $to) (i32.const 16)))
            (local.set $at (local.get $end))
            (br $next)))
        (if (i32.gt_u (local.get $end) (local.get $length))
          (then (local.set $end (local.get $length))))
        (loop $each
          (local.set $byte (i32.load8_u (local.get $at)))
          (if (local.get $lead)
            (then
              (if (i32.ne (i32.and (local.get $byte) (i32.const 0xc0)) (i32.const 0x80))
                (then (return (i32.const -1))))
              ;; Of the lead its two lowest bits, of this one six.
              (local.set $byte (i32.or (i32.and (local.get $byte) (i32.const 0x3f))
                (i32.shl (i32.and (local.get $lead) (i32.const 3)) (i32.const 6))))
              (local.set $lead (i32.const 0))
              (i32.store8 (local.get $to) (local.get $byte))
              (local.set $to (i32.add (local.get $to) (i32.const 1))))
            (else (if (i32.lt_u (local.get $byte) (i32.const 0x80))
              (then
                (i32.store8 (local.get $to) (local.get $byte))
                (local.set $to (i32.add (local.get $to) (i32.const 1))))
              (else
                ;; Of two bytes, and below 256: it begins with c2 or c3.
                (if (i32.ne (i32.and (local.get $byte) (i32.const 0xfe)) (i32.const 0xc2))
                  (then (return (i32.const -1))))
                (local.set $lead (local.get $byte))))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $each (i32.lt_u (local.get $at) (local.get $end))))
        (br $next)))
    (select (i32.const -1) (local.get $to) (local.get $lead))))

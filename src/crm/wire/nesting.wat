;; Follows strings and brackets through JSON, 64 bytes at a time: `BINARY` in nesting.ts is what
;; `wat2wasm --enable-simd nesting.wat -o -` makes of this, in base64.
(module
  ;; Bytes to look at, from 0 on; whoever writes them puts 64 blanks behind.
  (memory (export "memory") 2)
  ;; Brackets open before the next byte.
  (global $depth (export "depth") (mut i32) (i32.const 0))
  ;; All ones where the next byte is within a string, else 0.
  (global $inString (export "inString") (mut i32) (i32.const 0))
  ;; 1 where the next byte comes behind an escaping backslash, else 0.
  (global $isEscaped (export "isEscaped") (mut i32) (i32.const 0))

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

  ;; Looks at so many bytes. Returns the place of the bracket that leaves none open, else -1.
  (func (export "scan") (param $length i32) (result i32)
    (local $at i32) (local $last i64) (local $carried i64)
    (local $backslashes i64) (local $candidates i64) (local $escapes i64)
    (local $strings i64) (local $opening i64) (local $closing i64) (local $bit i64)
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
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
        (local.set $strings (i64.xor (local.get $strings) (i64.const -1)))

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
    (i32.const -1)))

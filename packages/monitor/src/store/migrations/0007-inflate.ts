/**
 * gzip read in SQL, so that whoever has the database alone can read what was called: RFC 1951 and 1952 by the method of zlib's
 * puff.c. About a second for a pack of 500 calls; programs read it in milliseconds (store/frames.ts).
 */
export const inflate = `
create function monitoring.inflate(gz bytea) returns bytea language plpgsql immutable strict parallel safe as $$
declare
  length_base constant integer[] := '{3,4,5,6,7,8,9,10,11,13,15,17,19,23,27,31,35,43,51,59,67,83,99,115,131,163,195,227,258}';
  length_more constant integer[] := '{0,0,0,0,0,0,0,0,1,1,1,1,2,2,2,2,3,3,3,3,4,4,4,4,5,5,5,5,0}';
  far_base constant integer[] :=
    '{1,2,3,4,5,7,9,13,17,25,33,49,65,97,129,193,257,385,513,769,1025,1537,2049,3073,4097,6145,8193,12289,16385,24577}';
  far_more constant integer[] := '{0,0,0,0,1,1,2,2,3,3,4,4,5,5,6,6,7,7,8,8,9,9,10,10,11,11,12,12,13,13}';
  order_of constant integer[] := '{17,18,19,1,9,8,10,7,11,6,12,5,13,4,14,3,15,2,16}';
  done bytea[] := '{}';
  tail bytea := '';
  at integer := 80; -- in bits, behind the header
  is_last boolean := false;
  kind integer;
  lengths integer[];
  numbers integer[]; -- how many codes of each length, of literals, distances, lengths of codes
  symbols integer[];
  far_numbers integer[];
  far_symbols integer[];
  literals integer;
  distances integer;
  wanted integer;
  symbol integer;
  size integer;
  far integer;
  piece bytea;
  code integer;
  first integer;
  index integer;
  number integer;
  bits integer;
begin
  gz := gz || ''::bytea; -- read out of its table once, and not for every bit
  if substring(gz for 3) <> '\\x1f8b08' or get_byte(gz, 3) <> 0 then
    raise data_exception using message = 'this is no gzip as agents write it';
  end if;
  while not is_last loop
    is_last := get_bit(gz, at) = 1;
    kind := get_bit(gz, at + 1) + 2 * get_bit(gz, at + 2);
    at := at + 3;
    if kind = 0 then
      at := (at + 7) / 8;
      size := get_byte(gz, at) + 256 * get_byte(gz, at + 1);
      tail := tail || substring(gz from at + 5 for size);
      at := (at + 4 + size) * 8;
    else
      if kind = 1 then
        lengths := array_fill(8, array[144]) || array_fill(9, array[112]) || array_fill(7, array[24]) || array_fill(8, array[8]);
        literals := 288;
        lengths := lengths || array_fill(5, array[30]);
      else
        literals := 257 + get_bit(gz, at) + 2 * get_bit(gz, at + 1) + 4 * get_bit(gz, at + 2) + 8 * get_bit(gz, at + 3) + 16 * get_bit(gz, at + 4);
        distances := 1 + get_bit(gz, at + 5) + 2 * get_bit(gz, at + 6) + 4 * get_bit(gz, at + 7) + 8 * get_bit(gz, at + 8) + 16 * get_bit(gz, at + 9);
        wanted := 4 + get_bit(gz, at + 10) + 2 * get_bit(gz, at + 11) + 4 * get_bit(gz, at + 12) + 8 * get_bit(gz, at + 13);
        at := at + 14;
        lengths := array_fill(0, array[19]);
        for i in 1..wanted loop
          lengths[order_of[i]] := get_bit(gz, at) + 2 * get_bit(gz, at + 1) + 4 * get_bit(gz, at + 2);
          at := at + 3;
        end loop;
        numbers := array(select (select count(*)::integer from unnest(lengths) l where l = g) from generate_series(1, 15) g order by g);
        symbols := array(select n::integer - 1 from unnest(lengths) with ordinality t (l, n) where l > 0 order by l, n);
        lengths := '{}';
        while coalesce(array_length(lengths, 1), 0) < literals + distances loop
          code := 0; first := 0; index := 0; bits := 1;
          loop
            code := code | get_bit(gz, at);
            at := at + 1;
            number := numbers[bits];
            exit when code - number < first;
            index := index + number;
            first := (first + number) << 1;
            code := code << 1;
            bits := bits + 1;
          end loop;
          symbol := symbols[index + code - first + 1];
          if symbol < 16 then
            lengths := lengths || symbol;
          elsif symbol = 16 then
            lengths := lengths || array_fill(lengths[array_length(lengths, 1)], array[3 + get_bit(gz, at) + 2 * get_bit(gz, at + 1)]);
            at := at + 2;
          elsif symbol = 17 then
            lengths := lengths || array_fill(0, array[3 + get_bit(gz, at) + 2 * get_bit(gz, at + 1) + 4 * get_bit(gz, at + 2)]);
            at := at + 3;
          else
            size := 11;
            for i in 0..6 loop
              size := size + (get_bit(gz, at + i) << i);
            end loop;
            lengths := lengths || array_fill(0, array[size]);
            at := at + 7;
          end if;
        end loop;
      end if;
      far_numbers := array(select (select count(*)::integer from unnest(lengths[literals + 1:]) l where l = g) from generate_series(1, 15) g order by g);
      far_symbols := array(select n::integer - 1 from unnest(lengths[literals + 1:]) with ordinality t (l, n) where l > 0 order by l, n);
      numbers := array(select (select count(*)::integer from unnest(lengths[:literals]) l where l = g) from generate_series(1, 15) g order by g);
      symbols := array(select n::integer - 1 from unnest(lengths[:literals]) with ordinality t (l, n) where l > 0 order by l, n);
      loop
        code := 0; first := 0; index := 0; bits := 1;
        loop
          code := code | get_bit(gz, at);
          at := at + 1;
          number := numbers[bits];
          exit when code - number < first;
          index := index + number;
          first := (first + number) << 1;
          code := code << 1;
          bits := bits + 1;
        end loop;
        symbol := symbols[index + code - first + 1];
        exit when symbol = 256;
        if symbol < 256 then
          tail := tail || set_byte('\\x00', 0, symbol);
          continue;
        end if;
        size := length_base[symbol - 256];
        for i in 0..length_more[symbol - 256] - 1 loop
          size := size + (get_bit(gz, at) << i);
          at := at + 1;
        end loop;
        code := 0; first := 0; index := 0; bits := 1;
        loop
          code := code | get_bit(gz, at);
          at := at + 1;
          number := far_numbers[bits];
          exit when code - number < first;
          index := index + number;
          first := (first + number) << 1;
          code := code << 1;
          bits := bits + 1;
        end loop;
        symbol := far_symbols[index + code - first + 1];
        far := far_base[symbol + 1];
        for i in 0..far_more[symbol + 1] - 1 loop
          far := far + (get_bit(gz, at) << i);
          at := at + 1;
        end loop;
        piece := substring(tail from octet_length(tail) - far + 1 for size);
        while octet_length(piece) < size loop
          piece := piece || piece;
        end loop;
        tail := tail || substring(piece for size);
        if octet_length(tail) > 65536 then
          done := done || substring(tail for octet_length(tail) - 32768);
          tail := substring(tail from octet_length(tail) - 32767);
        end if;
      end loop;
    end if;
  end loop;
  return (select coalesce(string_agg(part, '' order by n), '') from unnest(done) with ordinality p (part, n)) || tail;
end
$$;

create function monitoring.frame_part(of_day date, of_pack bigint, place integer, part integer) returns bytea
language plpgsql stable strict parallel safe as $$
declare
  frames bytea := (select f.frames || ''::bytea from monitoring.pack_frames f where f.day = of_day and f.pack = of_pack);
  at integer := 1;
  size integer;
begin
  if frames is null then
    return null;
  end if;
  if substring(frames for 2) = '\\x1f8b' then
    frames := monitoring.inflate(frames);
  end if;
  for i in 1..place * 3 + part loop
    size := ((get_byte(frames, at - 1) * 256 + get_byte(frames, at)) * 256 + get_byte(frames, at + 1)) * 256 + get_byte(frames, at + 2);
    at := at + 4 + size;
  end loop;
  return substring(frames from at - size for size);
end
$$;
comment on function monitoring.frame_part is 'Head (1), request (2) or response (3) of the exchange at a place (from 0) of a pack';

create function monitoring.json_or_null(body bytea) returns json language plpgsql immutable strict parallel safe as $$
begin
  return convert_from(body, 'UTF8')::json;
exception when others then
  return null;
end
$$;
`;

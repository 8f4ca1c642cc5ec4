scored AS (
    SELECT f.*,
    a_lut1.v + a_lut2.v + a_lut3.v + a_lut4.v + a_lut5.v + a_lut6.v + a_lut7.v + a_lut8.v AS a_part,
    b_lut1.v + b_lut2.v + b_lut3.v + b_lut4.v + b_lut5.v + b_lut6.v + b_lut7.v + b_lut8.v AS b_part
    FROM family_packed AS f
    JOIN a_lut1 ON a_lut1.code = f.province::INTEGER * 2184 + f.p1
    JOIN a_lut2 ON a_lut2.code = f.province::INTEGER * 5500 + f.p2
    JOIN a_lut3 ON a_lut3.code = f.province::INTEGER * 5832 + f.p3
    JOIN a_lut4 ON a_lut4.code = f.province::INTEGER * 2401 + f.p4
    JOIN a_lut5 ON a_lut5.code = f.province::INTEGER * 5292 + f.p5
    JOIN a_lut6 ON a_lut6.code = f.province::INTEGER * 4050 + f.p6
    JOIN a_lut7 ON a_lut7.code = f.province::INTEGER * 2187 + f.p7
    JOIN a_lut8 ON a_lut8.code = f.province::INTEGER * 729 + f.p8
    JOIN b_lut1 ON b_lut1.code = f.p1
    JOIN b_lut2 ON b_lut2.code = f.p2
    JOIN b_lut3 ON b_lut3.code = f.p3
    JOIN b_lut4 ON b_lut4.code = f.p4
    JOIN b_lut5 ON b_lut5.code = f.p5
    JOIN b_lut6 ON b_lut6.code = f.p6
    JOIN b_lut7 ON b_lut7.code = f.p7
    JOIN b_lut8 ON b_lut8.code = f.p8
    WHERE f.regency = ?
), ranked AS (
    SELECT s.*,
    1 + (a_part + a.base >= a.n1)::UTINYINT + (a_part + a.base >= a.n2)::UTINYINT + (a_part + a.base >= a.n3)::UTINYINT + (a_part + a.base >= a.n4)::UTINYINT + (a_part + a.base >= a.n5)::UTINYINT + (a_part + a.base >= a.n6)::UTINYINT + (a_part + a.base >= a.n7)::UTINYINT + (a_part + a.base >= a.n8)::UTINYINT + (a_part + a.base >= a.n9)::UTINYINT AS a_national,
    1 + (a_part + a.base >= a.p1)::UTINYINT + (a_part + a.base >= a.p2)::UTINYINT + (a_part + a.base >= a.p3)::UTINYINT + (a_part + a.base >= a.p4)::UTINYINT + (a_part + a.base >= a.p5)::UTINYINT + (a_part + a.base >= a.p6)::UTINYINT + (a_part + a.base >= a.p7)::UTINYINT + (a_part + a.base >= a.p8)::UTINYINT + (a_part + a.base >= a.p9)::UTINYINT AS a_province,
    1 + (a_part + a.base >= a.r1)::UTINYINT + (a_part + a.base >= a.r2)::UTINYINT + (a_part + a.base >= a.r3)::UTINYINT + (a_part + a.base >= a.r4)::UTINYINT + (a_part + a.base >= a.r5)::UTINYINT + (a_part + a.base >= a.r6)::UTINYINT + (a_part + a.base >= a.r7)::UTINYINT + (a_part + a.base >= a.r8)::UTINYINT + (a_part + a.base >= a.r9)::UTINYINT AS a_regency,
    1 + (b_part + b.base >= b.n1)::UTINYINT + (b_part + b.base >= b.n2)::UTINYINT + (b_part + b.base >= b.n3)::UTINYINT + (b_part + b.base >= b.n4)::UTINYINT + (b_part + b.base >= b.n5)::UTINYINT + (b_part + b.base >= b.n6)::UTINYINT + (b_part + b.base >= b.n7)::UTINYINT + (b_part + b.base >= b.n8)::UTINYINT + (b_part + b.base >= b.n9)::UTINYINT AS b_national,
    1 + (b_part + b.base >= b.p1)::UTINYINT + (b_part + b.base >= b.p2)::UTINYINT + (b_part + b.base >= b.p3)::UTINYINT + (b_part + b.base >= b.p4)::UTINYINT + (b_part + b.base >= b.p5)::UTINYINT + (b_part + b.base >= b.p6)::UTINYINT + (b_part + b.base >= b.p7)::UTINYINT + (b_part + b.base >= b.p8)::UTINYINT + (b_part + b.base >= b.p9)::UTINYINT AS b_province,
    1 + (b_part + b.base >= b.r1)::UTINYINT + (b_part + b.base >= b.r2)::UTINYINT + (b_part + b.base >= b.r3)::UTINYINT + (b_part + b.base >= b.r4)::UTINYINT + (b_part + b.base >= b.r5)::UTINYINT + (b_part + b.base >= b.r6)::UTINYINT + (b_part + b.base >= b.r7)::UTINYINT + (b_part + b.base >= b.r8)::UTINYINT + (b_part + b.base >= b.r9)::UTINYINT AS b_regency
    FROM scored AS s
    JOIN a_limits AS a ON a.area = s.regency::INTEGER * 3 + s.urban
    JOIN b_limits AS b ON b.area = s.regency::INTEGER * 3 + s.urban
)

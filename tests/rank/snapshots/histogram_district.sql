WITH scored AS (
    SELECT f.district AS area, f.regency, f.urban, f.family_size, lut1.v + lut2.v + lut3.v + lut4.v + lut5.v + lut6.v + lut7.v + lut8.v AS score
    FROM family_packed AS f
    JOIN lut1 ON lut1.code = f.province::INTEGER * 2184 + f.p1
    JOIN lut2 ON lut2.code = f.province::INTEGER * 5500 + f.p2
    JOIN lut3 ON lut3.code = f.province::INTEGER * 5832 + f.p3
    JOIN lut4 ON lut4.code = f.province::INTEGER * 2401 + f.p4
    JOIN lut5 ON lut5.code = f.province::INTEGER * 5292 + f.p5
    JOIN lut6 ON lut6.code = f.province::INTEGER * 4050 + f.p6
    JOIN lut7 ON lut7.code = f.province::INTEGER * 2187 + f.p7
    JOIN lut8 ON lut8.code = f.province::INTEGER * 729 + f.p8
    WHERE f.province = ?
)
SELECT area, urban, score, count(*) AS families, sum(family_size)::BIGINT AS persons, any_value(regency) AS regency
FROM scored
GROUP BY area, urban, score

SELECT k.id_keluarga, k.province, k.regency, k.district, k.village, k.urban,
  least(greatest(coalesce(k.jumlah_anggota_keluarga, 1), 1), 255)::UTINYINT AS family_size,
  (CAST(i.bahan_bakar_utama_memasak AS INTEGER) * 1 + CAST(i.sumber_air_minum_utama AS INTEGER) * 14 + CAST(i.lapangan_usaha_kepala AS INTEGER) * 182)::USMALLINT AS p1,
  (CAST(i.jenis_lantai_terluas AS INTEGER) * 1 + CAST(i.jenis_atap_terluas AS INTEGER) * 11 + CAST(i.status_pekerjaan_kepala AS INTEGER) * 110 + CAST(i.sumber_penerangan_utama AS INTEGER) * 1100)::USMALLINT AS p2,
  (CAST(i.daya_terpasang AS INTEGER) * 1 + CAST(i.pembuangan_akhir_tinja AS INTEGER) * 9 + CAST(i.ukuran_keluarga AS INTEGER) * 81 + CAST(i.jenis_dinding_terluas AS INTEGER) * 729)::USMALLINT AS p3,
  (CAST(i.luas_lantai_per_kapita AS INTEGER) * 1 + CAST(i.fasilitas_bab AS INTEGER) * 7 + CAST(i.rasio_ketergantungan AS INTEGER) * 49 + CAST(i.umur_kepala AS INTEGER) * 343)::USMALLINT AS p4,
  (CAST(i.ijazah_tertinggi_keluarga AS INTEGER) * 1 + CAST(i.ijazah_kepala AS INTEGER) * 7 + CAST(i.status_kepemilikan_rumah AS INTEGER) * 49 + CAST(i.jenis_kloset AS INTEGER) * 294 + CAST(i.aset_bergerak_tabung_gas AS INTEGER) * 1764)::USMALLINT AS p5,
  (CAST(i.jumlah_bekerja AS INTEGER) * 1 + CAST(i.status_kawin_kepala AS INTEGER) * 6 + CAST(i.anak_tidak_sekolah AS INTEGER) * 30 + CAST(i.aset_bergerak_lemari_es AS INTEGER) * 150 + CAST(i.aset_bergerak_ac AS INTEGER) * 450 + CAST(i.aset_bergerak_pemanas_air AS INTEGER) * 1350)::USMALLINT AS p6,
  (CAST(i.aset_bergerak_telepon_rumah AS INTEGER) * 1 + CAST(i.aset_bergerak_tv_datar AS INTEGER) * 3 + CAST(i.aset_bergerak_emas_perhiasan AS INTEGER) * 9 + CAST(i.aset_bergerak_komputer_laptop_tablet AS INTEGER) * 27 + CAST(i.aset_bergerak_sepeda_motor AS INTEGER) * 81 + CAST(i.aset_bergerak_sepeda AS INTEGER) * 243 + CAST(i.aset_bergerak_mobil AS INTEGER) * 729)::USMALLINT AS p7,
  (CAST(i.aset_bergerak_perahu AS INTEGER) * 1 + CAST(i.aset_bergerak_kapal_perahu_motor AS INTEGER) * 3 + CAST(i.aset_bergerak_smartphone AS INTEGER) * 9 + CAST(i.jenis_kelamin_kepala AS INTEGER) * 27 + CAST(i.kepemilikan_usaha_keluarga AS INTEGER) * 81 + CAST(i.disabilitas_atau_kronis AS INTEGER) * 243)::USMALLINT AS p8,
  coalesce(k.desil_nasional, 0)::UTINYINT AS desil_nasional,
  coalesce(k.desil_provinsi, 0)::UTINYINT AS desil_provinsi,
  coalesce(k.desil_kabupaten_kota, 0)::UTINYINT AS desil_kabupaten_kota,
  0::UTINYINT AS pkh, 0::UTINYINT AS sembako, 0::UTINYINT AS blt_desa, 0::UTINYINT AS pbi_persons, 0::UTINYINT AS pbi_pemda_persons, 0::UTINYINT AS pip_pupils
FROM keluarga AS k JOIN indicators AS i USING (id_keluarga)
ORDER BY k.village, k.id_keluarga
